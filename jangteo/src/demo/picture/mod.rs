//! Pictures for the demo's products: a small still life each, drawn from the product's name and category alone, so that
//! they are the same at every start and nothing has to be shipped.

mod canvas;
mod colours;
mod motifs;
mod shapes;

use bytes::Bytes;

use canvas::Canvas;
use colours::{Palette, hsl};
use shapes::Shape;

/// Pixels on each side.
const SIDE: u32 = 480;

/// A product's picture as PNG. `name` is the product's name in the catalogue.
///
/// # Errors
/// When the encoder fails.
pub fn png(name: &str, category: &str) -> Result<Bytes, image::ImageError> {
    let mut dice = Dice::of(name);
    let palette = Palette::of(category, &mut dice);
    let mut canvas = Canvas::new(SIDE, palette.wall);
    backdrop(&mut canvas, &palette, &mut dice);
    for (shape, paint) in motifs::of(name, category).shapes(&palette, &mut dice) {
        canvas.fill(&shape, paint);
    }
    canvas.into_png()
}

/// A wall, a low sun or moon on it, a table, and the shadow of what will stand there.
fn backdrop(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let side = if dice.coin() { 1.0 } else { -1.0 };
    let centre = (side * dice.between(0.45, 0.85), dice.between(-0.95, -0.6));
    canvas.fill(&Shape::Circle(centre, dice.between(0.42, 0.62)), palette.sun.into());
    if dice.coin() {
        // A range of hills, as seen through a window.
        let (left, right) = (dice.between(0.1, 0.35), dice.between(0.2, 0.45));
        canvas.fill(&Shape::Ellipse((-0.9, 0.75), (1.1, left + 0.45)), palette.hill.into());
        canvas.fill(&Shape::Ellipse((0.9, 0.8), (1.2, right + 0.35)), palette.hill.into());
    }
    canvas.fill(&Shape::Box((0.0, 1.38), (2.0, 0.68)), palette.table.into());
    canvas.soft(
        &Shape::Ellipse((0.12, 0.93), (0.78, 0.09)),
        hsl(palette.hue, 0.25, 0.18),
        0.12,
        0.35,
    );
}

/// Numbers that look random and are always the same for the same name.
struct Dice(u64);

impl Dice {
    fn of(name: &str) -> Self {
        // FNV-1a: short, and spreads names that differ in one letter.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        // splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((bits ^ (bits >> 31)) >> 40) as f32 / (1 << 24) as f32;
        low + (high - low) * unit
    }

    fn coin(&mut self) -> bool {
        self.between(0.0, 1.0) < 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_small_png_always_the_same_and_not_its_neighbours() {
        let one = png("mug-persimmon", "Home/Ceramics").unwrap();
        assert_eq!(one, png("mug-persimmon", "Home/Ceramics").unwrap());
        assert_ne!(one, png("mug-plum", "Home/Ceramics").unwrap());
        assert!(one.len() < 60_000, "{} bytes", one.len());
        let picture = image::load_from_memory(&one).unwrap();
        assert_eq!((picture.width(), picture.height()), (SIDE, SIDE));
    }

    /// For looking at them: `JANGTEO_PICTURES=/tmp/pictures cargo test -p jangteo pictures_of_all`.
    #[test]
    fn pictures_of_all_products_are_drawn() {
        let folder = std::env::var_os("JANGTEO_PICTURES").map(std::path::PathBuf::from);
        let products = crate::demo::catalogue::products().unwrap();
        let step = if folder.is_some() { 1 } else { 25 };
        for product in products.iter().step_by(step) {
            let bytes = png(&product.name, &product.category).unwrap();
            if let Some(folder) = &folder {
                std::fs::write(folder.join(format!("{}.png", product.name)), &bytes).unwrap();
            }
        }
    }
}
