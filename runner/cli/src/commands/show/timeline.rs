//! `borescope show TICKET`: everything with that ticket, in order.

use domain::{Ticket, Timestamp};

use super::Call;
use crate::exit::{Exit, Failure};
use crate::out::{Style, foreign, hang, width};
use crate::session::Session;
use crate::timeline::{Happened, Proof, Timeline};
use crate::view::count;
use crate::when;

/// Shows what has this ticket; says what `reference` is not, when nothing has.
pub(super) async fn show(
    call: &Call<'_>,
    session: &Session,
    reference: &str,
) -> anyhow::Result<Exit> {
    let found = match reference.parse::<Ticket>() {
        Ok(ticket) => Timeline::of(session, &ticket).await?,
        Err(_) => None,
    };
    let Some(timeline) = found else {
        return Err(Failure::usage(
            format!("there is no script, revision or ticket \"{reference}\" that you may see"),
            "list them: borescope scripts, borescope audit; a ticket is what a request names with \
             --ticket or in its reason",
        )
        .into());
    };
    if call.out.json {
        timeline.events.iter().try_for_each(|event| call.out.json(event))?;
    } else {
        print(call, &timeline)?;
    }
    call.out.notes(timeline.notes.iter().map(|note| format!("note: {}", foreign(note))));
    Ok(if timeline.is_broken() { Exit::Evidence } else { Exit::Ok })
}

fn print(call: &Call<'_>, timeline: &Timeline) -> anyhow::Result<()> {
    let out = call.out;
    out.line(format!(
        "{}: {}, {}, {}",
        out.style(Style::Bold, timeline.ticket.as_str()),
        count(timeline.count("access-request"), "access request"),
        count(timeline.count("run-started"), "run"),
        count(timeline.count("stop"), "stop"),
    ))?;
    let mut day = String::new();
    for event in &timeline.events {
        let at = Timestamp::from_unix_s(i64::try_from(event.at_ms / 1000).unwrap_or(i64::MAX));
        let at = when::show(at, &call.env.zone);
        // 2026-11-28 05:17:31+01:00
        let (date, time) = at.split_once(' ').unwrap_or((&at, ""));
        let (time, offset) = time.split_at_checked(TIME).unwrap_or((time, ""));
        let today = format!("{date} ({offset})");
        if day != today {
            out.line(out.style(Style::Bold, &today))?;
            day = today;
        }
        out.lines(line(call, event, time))?;
    }
    out.note(
        "✓ signed, and verified here; – the server's word; ? signed by a key that nobody vouches for \
         any more; ✗ does not hold",
    );
    out.note(format!(
        "for the post-mortem: borescope audit export --ticket {} --markdown --out DIR",
        timeline.ticket
    ));
    Ok(())
}

fn line(call: &Call<'_>, event: &Happened, time: &str) -> Vec<String> {
    let (style, mark, problem) = match &event.proof {
        Proof::Verified => (Style::Good, "✓", ""),
        Proof::ServerOnly => (Style::Dim, "–", ""),
        Proof::Unverified(problem) => (Style::Warn, "?", problem.as_str()),
        Proof::Invalid(problem) => (Style::Bad, "✗", problem.as_str()),
    };
    let label = format!("  {time} {} ", call.out.style(style, mark));
    let words = match event.words.as_str() {
        "" => String::new(),
        words => format!(": \"{}\"", foreign(words)),
    };
    let problem =
        if problem.is_empty() { String::new() } else { format!(" ({})", foreign(problem)) };
    let text = format!("{}{words}{problem}", foreign(&event.what));
    let mut lines = hang(&label, &text, width());
    lines.push(format!(
        "{}{}",
        " ".repeat(INDENT),
        call.out.style(Style::Dim, &foreign(&event.id))
    ));
    lines
}

/// Characters of a time of day.
const TIME: usize = 8;
/// Columns of that, a mark and the blanks around them.
const INDENT: usize = 13;
