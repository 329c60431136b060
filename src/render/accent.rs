//! The site's own colour on pages: made darker or lighter until text in it is easy to read (WCAG 2.2 §1.4.3).

use crate::config::Colour;

/// The contrast that text needs, with room for rounding.
const CONTRAST: f64 = 4.6;

/// The backgrounds of accents in light and in dark pages, as in the style sheet: the one with the least contrast.
const LIGHT: Colour = Colour { red: 0xf5, green: 0xf4, blue: 0xf1 };
const DARK: Colour = Colour { red: 0x1d, green: 0x1f, blue: 0x22 };

/// How many steps lead from a colour to black or white.
const STEPS: u8 = 32;

/// Returns the rules for the style sheet.
pub(super) fn rules(accent: Colour) -> String {
    let (light, dark) = (hex(readable(accent, LIGHT, 0)), hex(readable(accent, DARK, 255)));
    format!(
        "\n:root {{ --accent: {light}; }}\n@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}\n\
         @media print {{ :root {{ --accent: #000; }} }}\n"
    )
}

/// Returns the nearest mixture of the colour with black (0) or white (255) that can be read.
fn readable(colour: Colour, background: Colour, end: u8) -> Colour {
    let mixed = |step: u8| {
        let part = |from: u8| {
            let (from, to) = (u32::from(from), u32::from(end));
            let sum = from * u32::from(STEPS - step) + to * u32::from(step);
            u8::try_from(sum / u32::from(STEPS)).unwrap_or(end)
        };
        Colour { red: part(colour.red), green: part(colour.green), blue: part(colour.blue) }
    };
    let is_readable = |colour: &Colour| contrast(*colour, background) >= CONTRAST;
    (0..=STEPS).map(mixed).find(is_readable).unwrap_or(mixed(STEPS))
}

fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Returns the relative luminance (WCAG 2.2).
fn luminance(colour: Colour) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
}

fn hex(Colour { red, green, blue }: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_can_be_read_on_light_and_dark_pages() {
        for red in [0, 80, 160, 255] {
            for green in [0, 80, 160, 255] {
                for blue in [0, 80, 160, 255] {
                    let colour = Colour { red, green, blue };
                    assert!(contrast(readable(colour, LIGHT, 0), LIGHT) >= 4.5, "{colour:?}");
                    assert!(contrast(readable(colour, DARK, 255), DARK) >= 4.5, "{colour:?}");
                }
            }
        }
    }

    #[test]
    fn readable_accent_stays_as_it_is() {
        let red = Colour { red: 0xa3, green: 0x23, blue: 0x1f };
        assert_eq!(readable(red, LIGHT, 0), red);
    }
}
