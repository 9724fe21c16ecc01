//! Texts that try to write over, hide or reorder what a terminal shows. A scenario takes the same list
//! by path and looks for none of it in what people see.

/// Each is one trick; the word `PWNED` is in all of them, so that one can see where they arrive.
pub const CORPUS: &[&str] = &[
    // Escape sequences: colour, erase the screen, move up and overwrite, hide what follows.
    "PWNED\u{1b}[31mred\u{1b}[0m",
    "PWNED\u{1b}[2J\u{1b}[H",
    "denied\u{1b}[1A\u{1b}[2Kapproved PWNED",
    "PWNED\u{1b}[8mhidden\u{1b}[28m",
    "PWNED\u{1b}[?1049h\u{1b}[?25l",
    // The same without ESC: C1 control sequence introducer and operating system command.
    "PWNED\u{9b}31mred\u{9b}0m",
    "PWNED\u{9d}0;title\u{9c}",
    // Window title, hyperlink, clipboard, a question that the terminal answers as if it were typed.
    "PWNED\u{1b}]0;title\u{7}",
    "PWNED\u{1b}]8;;https://evil.example\u{1b}\\https://good.example\u{1b}]8;;\u{1b}\\",
    "PWNED\u{1b}]52;c;cm0gLXJmIC8K\u{7}",
    "PWNED\u{1b}[6n\u{1b}[c\u{1b}P$q\"p\u{1b}\\",
    // Device control, a sixel picture, an inline file, application and privacy strings, charsets, reset.
    "PWNED\u{1b}Pq#0;2;0;0;0#0~~@@vv\u{1b}\\\u{90}1;1|17/6c73\u{9c}",
    "PWNED\u{1b}]1337;File=inline=1:cHduZWQ=\u{7}\u{1b}_Gf=100;AAAA\u{1b}\\\u{1b}^x\u{1b}\\",
    "PWNED\u{1b}(0lqqk\u{e}lqqk\u{f}\u{1b}#8\u{1b}c",
    // Moving the cursor without escape.
    "denied\rapproved PWNED",
    "denied\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}approved PWNED",
    "PWNED\nrun_00000000-0000-7000-8000-000000000000 succeeded",
    "PWNED\u{b}\u{c}\u{85}\u{2028}\u{2029}next line",
    "PWNED\u{0}\u{7}\u{7f}",
    // Reordering: overrides, embeddings and isolates, left open.
    "PWNED \u{202e}devorppa\u{202c}",
    "PWNED \u{2066}\u{202e}\u{2067}txt.exe",
    "PWNED\u{200f}\u{200e}\u{61c}",
    // Invisible: zero width, joiners, soft hyphen, fillers, variation selectors, tags, byte order mark.
    "P\u{200b}W\u{200c}N\u{200d}E\u{2060}D\u{feff} PWNED",
    "PWNED so\u{ad}ft \u{3164}\u{ffa0}\u{115f}\u{17b4}",
    "PWNED\u{fe0f}\u{e0101}\u{e0041}\u{e007f}",
    "PWNED\u{2800}\u{200a}\u{2062}\u{fff9}\u{fffb}\u{e000}\u{f0001}\u{fdd0}\u{10ffff}",
    // Stacked marks that climb over the neighbouring lines.
    "PWNEDZ\u{351}\u{36b}\u{313}\u{30a}\u{36e}\u{352}\u{342}\u{313}\u{30d}\u{351}\u{36b}\u{313}\u{30a}",
    // Structure of the output itself: cells, CSV formulae, JSON, markup.
    "PWNED │ succeeded │ 0 rows │",
    "=cmd|'/c PWNED'!A1",
    "PWNED\",\"outcome\":\"succeeded\"}",
    "<script>PWNED</script>",
];
