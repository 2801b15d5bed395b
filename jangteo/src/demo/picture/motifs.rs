//! What stands on the table. The product's name decides, then its category.

use super::{
    Dice,
    colours::{Paint, Palette, hsl, mix, round},
    shapes::{Point, Shape},
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
            Bag => bag(p),
            Ball => ball(p, dice),
            Blocks => blocks(p),
            Book => books(p, dice),
            Bottle => bottle(p),
            Bowl => bowl(p, dice),
            Candle => candle(p),
            Cloth => cloth(p),
            Cup => cup(p),
            Device => device(p, dice),
            Garment => garment(p),
            Glass => glass(p, dice),
            Headphones => headphones(p),
            Jar => jar(p),
            Lamp => lamp(p),
            Pen => pens(p),
            Plant => plant(p),
            Pot => pot(p),
            Pouch => pouch(p, dice),
            Roundels => roundels(p),
            Tent => tent(p),
            Tool => tool(p),
            Vase => vase(p, dice),
        }
    }
}

fn bag(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Ring((0.0, -0.15), 0.36, 0.045).above(-0.05), p.dark.into()),
        (
            Shape::Polygon(vec![(-0.58, -0.08), (0.58, -0.08), (0.68, 0.88), (-0.68, 0.88)], 0.05),
            round(p.main),
        ),
        (Shape::Box((0.0, 0.02), (0.62, 0.05)), round(p.dark)),
        (Shape::Circle((0.0, 0.45), 0.2), p.accent.into()),
        (Shape::Circle((0.07, 0.39), 0.16), p.light.into()),
    ]
}

fn ball(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let centre = (0.0, 0.27);
    vec![
        (Shape::Circle(centre, 0.66), round(p.main)),
        (Shape::Ring(centre, 0.56, 0.02), p.light.into()),
        (Shape::Circle(centre, 0.3), round(p.dark)),
        (Shape::Circle(centre, 0.1), p.accent.into()),
        (
            Shape::Line(centre, (dice.between(-0.3, 0.3), -0.18), 0.03),
            p.light.into(),
        ),
    ]
}

fn blocks(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Rounded((-0.38, 0.58), (0.34, 0.34), 0.05), round(p.main)),
        (Shape::Rounded((0.38, 0.66), (0.3, 0.26), 0.05), round(p.accent)),
        (
            Shape::Polygon(vec![(-0.42, -0.45), (-0.04, 0.2), (-0.78, 0.2)], 0.03),
            round(p.dark),
        ),
        (Shape::Circle((0.36, 0.14), 0.27), round(p.light)),
        (Shape::Circle((-0.38, 0.58), 0.14), p.light.into()),
    ]
}

fn books(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let lean = dice.between(-0.08, 0.12);
    let corners = |x: f32, y: f32| {
        vec![
            (-0.5 + lean + x, -0.75 + y),
            (0.46 + lean + x, -0.75 + y),
            (0.46 + x, 0.6 + y),
            (-0.5 + x, 0.6 + y),
        ]
    };
    let mut shapes: Vec<Painted> = vec![
        (Shape::Rounded((0.02, 0.81), (0.82, 0.11), 0.03), round(p.accent)),
        (Shape::Box((0.08, 0.81), (0.76, 0.065)), p.light.into()),
        (Shape::Polygon(corners(0.05, 0.02), 0.04), p.light.into()),
        (Shape::Polygon(corners(0.0, 0.0), 0.04), round(p.main)),
        (
            Shape::Polygon(
                vec![(-0.5 + lean, -0.79), (-0.4 + lean, -0.79), (-0.4, 0.64), (-0.5, 0.64)],
                0.04,
            ),
            p.dark.into(),
        ),
    ];
    if dice.coin() {
        shapes.push((Shape::Circle((0.06 + lean * 0.5, -0.3), 0.2), p.light.into()));
        shapes.push((Shape::Ellipse((0.06, 0.12), (0.3, 0.08)), p.accent.into()));
    } else {
        shapes.push((
            Shape::Rounded((0.06 + lean * 0.6, -0.4), (0.3, 0.1), 0.02),
            p.light.into(),
        ));
        shapes.push((Shape::Line((-0.14, 0.3), (0.26, 0.3), 0.025), p.light.into()));
        shapes.push((Shape::Line((-0.14, 0.4), (0.12, 0.4), 0.025), p.light.into()));
    }
    shapes
}

fn bottle(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Rounded((0.0, -0.58), (0.15, 0.16), 0.04), round(p.dark)),
        (
            Shape::Polygon(vec![(-0.12, -0.42), (0.12, -0.42), (0.3, -0.12), (-0.3, -0.12)], 0.04),
            round(p.main),
        ),
        (Shape::Rounded((0.0, 0.4), (0.36, 0.52), 0.1), round(p.main)),
        (Shape::Rounded((0.0, 0.44), (0.36, 0.26), 0.0), round(p.light)),
        (Shape::Circle((0.0, 0.4), 0.11), p.accent.into()),
        (Shape::Line((-0.14, 0.6), (0.14, 0.6), 0.018), p.dark.into()),
        (Shape::Line((-0.26, 0.02), (-0.26, 0.12), 0.022), p.light.into()),
    ]
}

fn bowl(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let filling = if dice.coin() { p.accent } else { p.dark };
    vec![
        (Shape::Box((0.0, 0.84), (0.3, 0.08)), round(p.dark)),
        (Shape::Ellipse((0.0, 0.12), (0.85, 0.74)).below(0.12), round(p.main)),
        (Shape::Ellipse((0.0, 0.12), (0.85, 0.17)), round(p.light)),
        (Shape::Ellipse((0.0, 0.14), (0.74, 0.12)), filling.into()),
        (
            Shape::Ellipse((-0.2, 0.12), (0.2, 0.04)),
            mix(filling, p.light, 0.5).into(),
        ),
    ]
}

fn candle(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Rounded((0.0, 0.42), (0.44, 0.5), 0.06), round(p.main)),
        (Shape::Ellipse((0.0, -0.06), (0.42, 0.1)), p.light.into()),
        (Shape::Line((0.0, -0.08), (0.0, -0.24), 0.02), p.dark.into()),
        (Shape::Ellipse((0.0, -0.42), (0.1, 0.2)), hsl(38.0, 0.95, 0.62).into()),
        (Shape::Ellipse((0.0, -0.36), (0.05, 0.11)), hsl(50.0, 1.0, 0.88).into()),
        (Shape::Rounded((0.0, 0.48), (0.26, 0.2), 0.02), p.light.into()),
        (Shape::Line((-0.12, 0.48), (0.12, 0.48), 0.02), p.accent.into()),
    ]
}

/// A patchwork, as in a bojagi.
fn cloth(p: &Palette) -> Vec<Painted> {
    let tones = [
        p.main,
        p.light,
        p.accent,
        p.dark,
        mix(p.main, p.light, 0.5),
        p.main,
        p.light,
        p.main,
        mix(p.accent, p.light, 0.45),
    ];
    let mut shapes: Vec<Painted> = vec![(
        Shape::Rounded((0.0, 0.22), (0.76, 0.7), 0.14),
        round(mix(p.dark, p.main, 0.5)),
    )];
    for (place, tone) in tones.into_iter().enumerate() {
        let (column, row) = ((place % 3) as f32, (place / 3) as f32);
        let centre = (-0.46 + column * 0.46, -0.2 + row * 0.42);
        shapes.push((Shape::Rounded(centre, (0.215, 0.195), 0.03), round(tone)));
    }
    shapes
}

fn steam(x: f32, p: &Palette) -> Vec<Painted> {
    let mist: Paint = mix(p.wall, [1.0; 3], 0.75).into();
    vec![
        (Shape::Line((x, -0.34), (x + 0.07, -0.5), 0.035), mist),
        (Shape::Line((x + 0.07, -0.5), (x - 0.03, -0.68), 0.03), mist),
        (Shape::Line((x - 0.03, -0.68), (x + 0.03, -0.82), 0.022), mist),
    ]
}

fn cup(p: &Palette) -> Vec<Painted> {
    let mut shapes = steam(-0.2, p);
    shapes.extend(steam(0.14, p));
    shapes.extend([
        (Shape::Ellipse((0.0, 0.88), (0.8, 0.09)), round(p.light)),
        (Shape::Ring((0.56, 0.28), 0.22, 0.06), round(p.main)),
        (
            Shape::Polygon(vec![(-0.54, -0.08), (0.54, -0.08), (0.4, 0.78), (-0.4, 0.78)], 0.06),
            round(p.main),
        ),
        (Shape::Ellipse((0.0, -0.1), (0.6, 0.13)), round(p.light)),
        (Shape::Ellipse((0.0, -0.08), (0.52, 0.09)), hsl(24.0, 0.5, 0.27).into()),
        (Shape::Ellipse((-0.1, -0.09), (0.2, 0.035)), hsl(30.0, 0.5, 0.5).into()),
        (Shape::Circle((0.0, 0.4), 0.14), p.accent.into()),
    ]);
    shapes
}

fn device(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let mut shapes = vec![
        (Shape::Rounded((0.0, 0.34), (0.72, 0.58), 0.14), round(p.main)),
        (Shape::Rounded((0.0, 0.34), (0.62, 0.48), 0.09), round(p.dark)),
    ];
    if dice.coin() {
        shapes.push((Shape::Circle((-0.18, 0.36), 0.32), round(mix(p.main, p.light, 0.25))));
        shapes.push((Shape::Circle((-0.18, 0.36), 0.13), round(p.dark)));
        shapes.push((Shape::Circle((0.4, 0.1), 0.09), p.accent.into()));
        shapes.push((Shape::Circle((0.4, 0.38), 0.06), p.light.into()));
    } else {
        for bar in 0..5 {
            let x = -0.4 + bar as f32 * 0.2;
            let top = dice.between(0.05, 0.5);
            let tone = if bar == 2 { p.accent } else { p.light };
            shapes.push((Shape::Line((x, top), (x, 0.66), 0.055), tone.into()));
        }
    }
    shapes
}

/// A jeogori: wide sleeves, a white collar, a long ribbon.
fn garment(p: &Palette) -> Vec<Painted> {
    let sleeve = |side: f32| {
        Shape::Polygon(
            vec![
                (side * 0.3, -0.5),
                (side * 0.95, 0.02),
                (side * 0.82, 0.36),
                (side * 0.34, 0.18),
            ],
            0.06,
        )
    };
    vec![
        (
            Shape::Polygon(vec![(-0.42, 0.3), (0.42, 0.3), (0.78, 0.88), (-0.78, 0.88)], 0.05),
            round(p.accent),
        ),
        (sleeve(-1.0), round(p.main)),
        (sleeve(1.0), round(p.main)),
        (
            Shape::Polygon(vec![(-0.36, -0.56), (0.36, -0.56), (0.46, 0.3), (-0.46, 0.3)], 0.06),
            round(p.main),
        ),
        (Shape::Line((-0.2, -0.62), (0.1, -0.06), 0.065), p.light.into()),
        (Shape::Line((0.2, -0.62), (-0.04, -0.14), 0.065), p.light.into()),
        (Shape::Line((0.06, -0.08), (0.0, 0.62), 0.05), p.dark.into()),
        (Shape::Line((0.06, -0.08), (0.2, 0.5), 0.05), p.dark.into()),
        (Shape::Circle((0.07, -0.08), 0.075), p.dark.into()),
    ]
}

fn glass(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let drink = if dice.coin() { p.accent } else { p.main };
    let clear = mix(p.wall, [1.0; 3], 0.6);
    let ice = mix(drink, [1.0; 3], 0.55);
    vec![
        (Shape::Line((0.1, 0.2), (0.34, -0.86), 0.035), p.dark.into()),
        (
            Shape::Polygon(vec![(-0.42, -0.46), (0.42, -0.46), (0.32, 0.86), (-0.32, 0.86)], 0.05),
            round(clear),
        ),
        (
            Shape::Polygon(vec![(-0.38, -0.2), (0.38, -0.2), (0.29, 0.82), (-0.29, 0.82)], 0.03),
            round(drink),
        ),
        (Shape::Rounded((-0.14, 0.0), (0.13, 0.13), 0.04), ice.into()),
        (Shape::Rounded((0.16, 0.14), (0.12, 0.12), 0.04), ice.into()),
        (
            Shape::Rounded((-0.06, 0.36), (0.11, 0.11), 0.04),
            mix(ice, drink, 0.35).into(),
        ),
        (Shape::Line((-0.34, -0.34), (-0.27, 0.6), 0.016), [1.0; 3].into()),
    ]
}

fn headphones(p: &Palette) -> Vec<Painted> {
    let ear = |side: f32| {
        [
            (Shape::Rounded((side * 0.6, 0.46), (0.2, 0.36), 0.14), round(p.main)),
            (Shape::Rounded((side * 0.46, 0.46), (0.1, 0.28), 0.08), round(p.dark)),
            (Shape::Circle((side * 0.66, 0.46), 0.07), p.accent.into()),
        ]
    };
    let mut shapes = vec![
        (Shape::Ring((0.0, 0.2), 0.68, 0.075).above(0.3), round(p.dark)),
        (Shape::Ring((0.0, 0.2), 0.6, 0.035).above(-0.1), round(p.light)),
    ];
    shapes.extend(ear(-1.0));
    shapes.extend(ear(1.0));
    shapes
}

fn jar(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Rounded((0.0, 0.34), (0.54, 0.58), 0.16), round(p.main)),
        (Shape::Rounded((0.0, -0.28), (0.46, 0.13), 0.04), round(p.dark)),
        (
            Shape::Line((-0.4, -0.2), (0.4, -0.2), 0.015),
            mix(p.dark, p.light, 0.4).into(),
        ),
        (Shape::Rounded((0.0, 0.42), (0.54, 0.3), 0.0), round(p.light)),
        (Shape::Circle((0.0, 0.36), 0.13), p.accent.into()),
        (Shape::Line((-0.2, 0.6), (0.2, 0.6), 0.02), p.dark.into()),
    ]
}

fn lamp(p: &Palette) -> Vec<Painted> {
    let glow = hsl(46.0, 0.9, 0.9);
    vec![
        (Shape::Ellipse((0.0, 0.86), (0.36, 0.07)), round(p.dark)),
        (Shape::Line((0.0, 0.84), (0.0, -0.1), 0.035), round(p.dark)),
        (Shape::Circle((0.0, 0.02), 0.13), glow.into()),
        (
            Shape::Polygon(vec![(-0.3, -0.78), (0.3, -0.78), (0.6, 0.0), (-0.6, 0.0)], 0.04),
            round(mix(p.light, glow, 0.5)),
        ),
        (Shape::Line((-0.6, 0.0), (0.6, 0.0), 0.03), p.accent.into()),
        (Shape::Line((-0.14, -0.74), (-0.26, -0.04), 0.008), p.main.into()),
        (Shape::Line((0.14, -0.74), (0.26, -0.04), 0.008), p.main.into()),
    ]
}

fn pens(p: &Palette) -> Vec<Painted> {
    let pen = |x: f32, body: Paint| {
        let (foot, neck, head): (Point, Point, Point) = ((x - 0.16, 0.86), (x - 0.1, 0.6), (x + 0.24, -0.76));
        [
            (
                Shape::Polygon(
                    vec![foot, (neck.0 - 0.08, neck.1 - 0.02), (neck.0 + 0.08, neck.1 + 0.02)],
                    0.01,
                ),
                p.light.into(),
            ),
            (Shape::Line(neck, head, 0.085), body),
            (Shape::Line((x + 0.12, -0.28), (x + 0.14, -0.36), 0.09), p.light.into()),
        ]
    };
    let mut shapes = vec![(Shape::Rounded((0.05, 0.86), (0.8, 0.05), 0.02), round(p.light))];
    shapes.extend(pen(-0.4, round(p.main)));
    shapes.extend(pen(0.0, round(p.dark)));
    shapes.extend(pen(0.4, round(p.accent)));
    shapes
}

fn plant(p: &Palette) -> Vec<Painted> {
    let leaf = |from: Point, to: Point, tone: Paint| {
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        let across = ((to.1 - from.1) * 0.22, (from.0 - to.0) * 0.22);
        let corners = vec![
            from,
            (middle.0 + across.0, middle.1 + across.1),
            to,
            (middle.0 - across.0, middle.1 - across.1),
        ];
        (Shape::Polygon(corners, 0.06), tone)
    };
    let green = |light: f32| round(hsl(128.0, 0.32, light));
    vec![
        leaf((0.0, 0.3), (-0.62, -0.3), green(0.36)),
        leaf((0.0, 0.3), (0.66, -0.24), green(0.4)),
        leaf((0.0, 0.3), (-0.24, -0.74), green(0.46)),
        leaf((0.0, 0.3), (0.28, -0.64), green(0.33)),
        leaf((0.0, 0.34), (0.02, -0.36), green(0.52)),
        (
            Shape::Polygon(vec![(-0.42, 0.28), (0.42, 0.28), (0.3, 0.86), (-0.3, 0.86)], 0.05),
            round(p.main),
        ),
        (
            Shape::Rounded((0.0, 0.28), (0.5, 0.09), 0.03),
            round(mix(p.main, p.accent, 0.35)),
        ),
    ]
}

fn pot(p: &Palette) -> Vec<Painted> {
    vec![
        (Shape::Line((0.48, 0.42), (0.96, -0.1), 0.07), round(p.main)),
        (Shape::Ring((-0.5, 0.3), 0.3, 0.055), round(p.dark)),
        (Shape::Ellipse((0.0, 0.4), (0.64, 0.52)), round(p.main)),
        (Shape::Box((0.0, 0.87), (0.36, 0.05)), round(p.dark)),
        (Shape::Ellipse((0.0, -0.06), (0.36, 0.09)), round(p.dark)),
        (Shape::Ellipse((0.0, -0.1), (0.3, 0.12)).above(-0.06), round(p.main)),
        (Shape::Circle((0.0, -0.26), 0.08), round(p.accent)),
        (
            Shape::Ellipse((-0.24, 0.24), (0.08, 0.18)),
            mix(p.main, [1.0; 3], 0.45).into(),
        ),
    ]
}

fn pouch(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let leaf = dice.coin();
    let mut shapes = vec![
        (
            Shape::Polygon(vec![(-0.5, -0.62), (0.5, -0.62), (0.6, 0.84), (-0.6, 0.84)], 0.06),
            round(p.main),
        ),
        (
            Shape::Polygon(vec![(-0.5, -0.66), (0.5, -0.66), (0.52, -0.42), (-0.52, -0.42)], 0.05),
            round(p.dark),
        ),
        (Shape::Rounded((0.0, 0.24), (0.38, 0.4), 0.06), p.light.into()),
    ];
    if leaf {
        shapes.push((
            Shape::Polygon(vec![(-0.18, 0.3), (0.0, -0.02), (0.18, 0.3), (0.0, 0.44)], 0.02),
            p.accent.into(),
        ));
        shapes.push((Shape::Line((0.0, 0.1), (0.0, 0.5), 0.014), p.dark.into()));
    } else {
        shapes.push((Shape::Circle((0.0, 0.18), 0.18), p.accent.into()));
        shapes.push((Shape::Line((-0.18, 0.48), (0.18, 0.48), 0.022), p.dark.into()));
    }
    shapes
}

/// Cookies, or a loaf cut in slices.
fn roundels(p: &Palette) -> Vec<Painted> {
    let crust = hsl(30.0, 0.55, 0.52);
    let crumb = hsl(38.0, 0.65, 0.78);
    let mut shapes: Vec<Painted> = vec![(Shape::Ellipse((0.0, 0.84), (0.95, 0.1)), round(p.light))];
    for (x, y, size) in [(-0.42, 0.5, 0.34), (0.42, 0.52, 0.32), (0.0, 0.12, 0.36)] {
        shapes.push((Shape::Circle((x, y), size), round(crust)));
        shapes.push((Shape::Circle((x, y), size * 0.72), round(crumb)));
        shapes.push((Shape::Circle((x, y), size * 0.2), p.accent.into()));
    }
    shapes
}

fn tent(p: &Palette) -> Vec<Painted> {
    vec![
        (
            Shape::Polygon(vec![(-0.62, 0.1), (-0.22, -0.62), (0.2, 0.1)], 0.02),
            round(p.dark),
        ),
        (
            Shape::Polygon(vec![(-0.1, 0.1), (0.48, -0.4), (1.0, 0.1)], 0.02),
            round(mix(p.dark, p.main, 0.4)),
        ),
        (
            Shape::Polygon(vec![(0.0, -0.34), (0.86, 0.86), (-0.86, 0.86)], 0.04),
            round(p.accent),
        ),
        (
            Shape::Polygon(vec![(0.0, -0.34), (0.3, 0.86), (-0.86, 0.86)], 0.04),
            round(mix(p.accent, [1.0; 3], 0.22)),
        ),
        (
            Shape::Polygon(vec![(-0.1, 0.16), (0.12, 0.86), (-0.42, 0.86)], 0.02),
            p.dark.into(),
        ),
        (Shape::Line((0.0, -0.34), (0.0, -0.56), 0.02), p.dark.into()),
    ]
}

fn tool(p: &Palette) -> Vec<Painted> {
    let steel = hsl(210.0, 0.1, 0.78);
    vec![
        (
            Shape::Polygon(vec![(-0.1, 0.14), (0.5, -0.74), (0.62, -0.52), (0.06, 0.26)], 0.05),
            round(steel),
        ),
        (Shape::Line((-0.08, 0.22), (-0.5, 0.8), 0.1), round(p.main)),
        (Shape::Line((-0.06, 0.19), (-0.12, 0.27), 0.105), p.accent.into()),
        (Shape::Circle((-0.46, 0.74), 0.03), p.light.into()),
    ]
}

fn vase(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let white = mix(p.light, [1.0; 3], 0.4);
    let tone = if dice.coin() { white } else { mix(p.main, p.light, 0.35) };
    let mut shapes = vec![];
    for (x, top) in [(-0.1, -0.84), (0.16, -0.7)] {
        shapes.push((
            Shape::Line((0.0, -0.1), (x * 2.2, top), 0.014),
            hsl(110.0, 0.25, 0.32).into(),
        ));
        for (dx, dy) in [(0.0, 0.0), (0.09, 0.06), (-0.08, 0.07)] {
            shapes.push((Shape::Circle((x * 2.2 + dx, top + dy), 0.075), p.accent.into()));
        }
    }
    shapes.extend([
        (Shape::Rounded((0.0, -0.22), (0.2, 0.12), 0.03), round(tone)),
        (Shape::Ellipse((0.0, 0.36), (0.6, 0.54)), round(tone)),
        (Shape::Box((0.0, 0.87), (0.26, 0.05)), round(tone)),
        (Shape::Ellipse((0.0, -0.32), (0.2, 0.035)), p.dark.into()),
        (
            Shape::Ellipse((-0.24, 0.2), (0.07, 0.16)),
            mix(tone, [1.0; 3], 0.6).into(),
        ),
    ]);
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_before_categories() {
        assert_eq!(of("mug-persimmon", "Home/Ceramics"), Cup);
        assert_eq!(of("planter-cloud", "Home/Ceramics"), Plant);
        assert_eq!(of("book-mystery", "Books/Fiction"), Book);
        assert_eq!(of("iced-americano", "Cafe/Coffee"), Cup);
        assert_eq!(of("something", "Nowhere"), Ball);
    }
}
