//! Things with something in them: to drink, to eat, to pour, to burn.

use super::Painted;
use crate::demo::picture::{
    Dice,
    colours::{Paint, Palette, hsl, mix, round},
    shapes::Shape,
};

pub(super) fn bottle(p: &Palette) -> Vec<Painted> {
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

pub(super) fn bowl(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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

pub(super) fn candle(p: &Palette) -> Vec<Painted> {
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

fn steam(x: f32, p: &Palette) -> Vec<Painted> {
    let mist: Paint = mix(p.wall, [1.0; 3], 0.75).into();
    vec![
        (Shape::Line((x, -0.34), (x + 0.07, -0.5), 0.035), mist),
        (Shape::Line((x + 0.07, -0.5), (x - 0.03, -0.68), 0.03), mist),
        (Shape::Line((x - 0.03, -0.68), (x + 0.03, -0.82), 0.022), mist),
    ]
}

pub(super) fn cup(p: &Palette) -> Vec<Painted> {
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

pub(super) fn glass(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
    let drink = if dice.coin() {
        mix(p.main, p.light, 0.35)
    } else {
        mix(p.main, p.dark, 0.4)
    };
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

pub(super) fn jar(p: &Palette) -> Vec<Painted> {
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

pub(super) fn pot(p: &Palette) -> Vec<Painted> {
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

pub(super) fn pouch(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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

pub(super) fn vase(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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

/// Cookies, or a loaf cut in slices.
pub(super) fn roundels(p: &Palette) -> Vec<Painted> {
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
