//! Colours: each category has its own, each product a little variation.

use super::Dice;

/// Red, green, blue, 0 to 1.
pub(super) type Colour = [f32; 3];

/// A colour and how round the thing looks that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) colour: Colour,
    /// How much lighter one side is than the other.
    pub(super) volume: f32,
}

impl From<Colour> for Paint {
    fn from(colour: Colour) -> Self {
        Self { colour, volume: 0.0 }
    }
}

/// A colour with a lit and a shadowed side.
pub(super) const fn round(colour: Colour) -> Paint {
    Paint { colour, volume: 0.22 }
}

/// The colours of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// The hue of the wall, in degrees.
    pub(super) hue: f32,
    pub(super) wall: Colour,
    pub(super) sun: Colour,
    pub(super) hill: Colour,
    pub(super) table: Colour,
    /// What most of the thing has.
    pub(super) main: Colour,
    /// Its darker parts.
    pub(super) dark: Colour,
    /// Its lighter parts.
    pub(super) light: Colour,
    /// The one colour that stands out.
    pub(super) accent: Colour,
}

/// Hue of the wall, hue of the thing, and how lively it is.
fn temper(category: &str) -> (f32, f32, f32) {
    match category.split('/').next().unwrap_or_default() {
        "Kitchen" => (34.0, 16.0, 0.45),
        "Home" => (205.0, 30.0, 0.28),
        "Stationery" => (48.0, 222.0, 0.48),
        "Food" => (82.0, 28.0, 0.55),
        "Cafe" => (350.0, 24.0, 0.50),
        "Outdoor" => (190.0, 130.0, 0.42),
        "Electronics" => (228.0, 250.0, 0.22),
        "Books" => (22.0, 350.0, 0.50),
        "Fashion" => (300.0, 338.0, 0.42),
        "Kids" => (52.0, 200.0, 0.65),
        "Beauty" => (12.0, 155.0, 0.35),
        "Garden" => (100.0, 140.0, 0.45),
        "Sports" => (172.0, 12.0, 0.60),
        "Music" => (265.0, 32.0, 0.48),
        _ => (40.0, 210.0, 0.4),
    }
}

impl Palette {
    pub(super) fn of(category: &str, dice: &mut Dice) -> Self {
        let (wall, thing, lively) = temper(category);
        let hue = wall + dice.between(-10.0, 10.0);
        let thing = thing + dice.between(-26.0, 26.0);
        let depth = dice.between(0.40, 0.60);
        Self {
            hue,
            wall: hsl(hue, 0.38, dice.between(0.84, 0.89)),
            sun: hsl(hue + 14.0, 0.62, 0.93),
            hill: hsl(hue, 0.26, 0.77),
            table: hsl(hue + 8.0, 0.30, dice.between(0.60, 0.68)),
            main: hsl(thing, lively, depth),
            dark: hsl(thing - 8.0, lively * 0.9, depth * 0.52),
            light: hsl(thing + 12.0, lively * 0.55, 0.92),
            accent: hsl(thing + dice.between(150.0, 210.0), 0.58, 0.56),
        }
    }
}

/// Hue in degrees, saturation and lightness 0 to 1.
pub(super) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Colour {
    let reach = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|offset: f32| {
        let k = (offset + hue / 30.0).rem_euclid(12.0);
        lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
    })
}

/// `share` of `b` in `a`.
pub(super) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    let blend = |a: f32, b: f32| a + (b - a) * share;
    [blend(a[0], b[0]), blend(a[1], b[1]), blend(a[2], b[2])]
}
