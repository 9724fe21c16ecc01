//! PostgreSQL's binary numerics as decimal text, digit for digit.
//!
//! The form: four 16-bit numbers (how many digits, weight of the first, sign, digits to show after
//! the point), then digits of base 10,000.

use domain::Value;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// Reads one; what is no decimal number keeps its type's name.
pub(super) fn read(raw: &[u8]) -> Result<Value, &'static str> {
    const BAD: &str = "it is not a binary numeric";
    let (words, rest) = raw.as_chunks::<2>();
    let [count, weight, sign, scale, digits @ ..] = words else { return Err(BAD) };
    let special = |text: &str| Ok(Value::Other("numeric".into(), text.into()));
    let sign = match u16::from_be_bytes(*sign) {
        0 => "",
        NEGATIVE => "-",
        NAN => return special("NaN"),
        INFINITY => return special("Infinity"),
        MINUS_INFINITY => return special("-Infinity"),
        _ => return Err(BAD),
    };
    if !rest.is_empty() || digits.len() != usize::from(u16::from_be_bytes(*count)) {
        return Err(BAD);
    }
    let (weight, scale) = (i16::from_be_bytes(*weight), u16::from_be_bytes(*scale));
    // The digit that is worth 10,000 to the power of `position`.
    let digit = |position: i32| {
        let at = usize::try_from(i32::from(weight) - position).ok();
        at.and_then(|at| digits.get(at)).map_or(0, |d| u16::from_be_bytes(*d))
    };
    let mut text = String::from(sign);
    let first = i32::from(weight).max(0);
    text.push_str(&digit(first).to_string());
    for position in (0..first).rev() {
        text.push_str(&format!("{:04}", digit(position)));
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + usize::from(scale);
        let mut position = -1;
        while text.len() < end {
            text.push_str(&format!("{:04}", digit(position)));
            position -= 1;
        }
        text.truncate(end);
    }
    Ok(Value::Decimal(text))
}
