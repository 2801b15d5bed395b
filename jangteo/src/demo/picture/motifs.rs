//! What stands on the table. The product's name decides, then its category.

mod things;
mod vessels;

use super::{
    Dice,
    colours::{Paint, Palette},
    shapes::Shape,
};

/// Things that can be drawn. Each stands at the height 0.92, about two units tall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motif {
    Bag,
    Ball,
    Blocks,
    Book,
    Bottle,
    Bowl,
    Candle,
    Cloth,
    Cup,
    Device,
    Garment,
    Glass,
    Headphones,
    Jar,
    Lamp,
    Pen,
    Plant,
    Pot,
    Pouch,
    Roundels,
    Tent,
    Tool,
    Vase,
}

use Motif::{
    Bag, Ball, Blocks, Book, Bottle, Bowl, Candle, Cloth, Cup, Device, Garment, Glass, Headphones, Jar, Lamp, Pen,
    Plant, Pot, Pouch, Roundels, Tent, Tool, Vase,
};

/// Words of a product's name, first match first.
const BY_NAME: &[(&str, Motif)] = &[
    (
        "beans filter seeds anchovy kelp gim rice-golden sheet-mask bath-salt herb-kit geisha",
        Pouch,
    ),
    ("cold-brew-bottle oil sauce syrup serum toner diffuser ink", Bottle),
    ("kettle teapot moka gamasot ttukbaegi pitcher stove syphon can", Pot),
    ("bowl steamer dripper pan buncheong", Bowl),
    ("iced", Glass),
    ("cup mug americano latte einspanner", Cup),
    ("ade frappe cold-brew milk sikhye sujeonggwa", Glass),
    (
        "jar honey doenjang gochujang cream yuja-tea ginger-tea matcha sunscreen",
        Jar,
    ),
    ("vase incense", Vase),
    ("lamp lantern light", Lamp),
    ("candle", Candle),
    ("cushion blanket throw dishcloth scarf gift-wrap mat towel belt", Cloth),
    ("backpack tote bag satchel wallet daypack", Bag),
    ("pen pencil brush danso chopsticks poles rod", Pen),
    ("knife homi scissors broom comb spoon spoons", Tool),
    ("headphones earbuds", Headphones),
    ("clock bell rope turntable janggu top massage", Ball),
    ("yakgwa dalgona cookies bread toast cheesecake hangwa", Roundels),
    ("planner notebook pad paper tape jigsaw", Book),
    ("planter", Plant),
    ("tea", Pouch),
];

const BY_CATEGORY: &[(&str, Motif)] = &[
    ("Kitchen", Bowl),
    ("Home/Ceramics", Vase),
    ("Home", Blocks),
    ("Stationery", Book),
    ("Food", Jar),
    ("Cafe", Cup),
    ("Outdoor", Tent),
    ("Electronics", Device),
    ("Books", Book),
    ("Fashion", Garment),
    ("Kids", Blocks),
    ("Beauty", Bottle),
    ("Garden", Plant),
    ("Music", Ball),
];

/// What to draw for a product.
pub(super) fn of(name: &str, category: &str) -> Motif {
    let name = format!("-{name}-");
    let named = |words: &str| words.split(' ').any(|word| name.contains(&format!("-{word}-")));
    if category.starts_with("Books") {
        return Book;
    }
    let by_name = BY_NAME.iter().find(|(words, _)| named(words));
    let by_category = || BY_CATEGORY.iter().find(|(start, _)| category.starts_with(start));
    by_name.or_else(by_category).map_or(Ball, |(_, motif)| *motif)
}

type Painted = (Shape, Paint);

impl Motif {
    /// Its shapes, from back to front.
    pub(super) fn shapes(self, palette: &Palette, dice: &mut Dice) -> Vec<Painted> {
        let p = palette;
        match self {
            Bag => things::bag(p),
            Ball => things::ball(p, dice),
            Blocks => things::blocks(p),
            Book => things::books(p, dice),
            Bottle => vessels::bottle(p),
            Bowl => vessels::bowl(p, dice),
            Candle => vessels::candle(p),
            Cloth => things::cloth(p),
            Cup => vessels::cup(p),
            Device => things::device(p, dice),
            Garment => things::garment(p),
            Glass => vessels::glass(p, dice),
            Headphones => things::headphones(p),
            Jar => vessels::jar(p),
            Lamp => things::lamp(p),
            Pen => things::pens(p),
            Plant => things::plant(p),
            Pot => vessels::pot(p),
            Pouch => vessels::pouch(p, dice),
            Roundels => vessels::roundels(p),
            Tent => things::tent(p),
            Tool => things::tool(p),
            Vase => vessels::vase(p, dice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_before_categories() {
        assert_eq!(of("mug-persimmon", "Home/Ceramics"), Cup);
        assert_eq!(of("planter-cloud", "Home/Ceramics"), Plant);
        assert_eq!(of("book-mystery", "Books/Fiction"), Book);
        assert_eq!(of("iced-americano", "Cafe/Coffee"), Glass);
        assert_eq!(of("something", "Nowhere"), Ball);
    }
}
