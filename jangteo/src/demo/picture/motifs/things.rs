//! Things to use, to wear, to read, to play with.

use super::Painted;
use crate::demo::picture::{
    Dice,
    colours::{Paint, Palette, hsl, mix, round},
    shapes::{Point, Shape},
};

pub(super) fn bag(p: &Palette) -> Vec<Painted> {
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

pub(super) fn ball(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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

pub(super) fn blocks(p: &Palette) -> Vec<Painted> {
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

pub(super) fn books(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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

/// A patchwork, as in a bojagi.
pub(super) fn cloth(p: &Palette) -> Vec<Painted> {
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

pub(super) fn device(p: &Palette, dice: &mut Dice) -> Vec<Painted> {
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
pub(super) fn garment(p: &Palette) -> Vec<Painted> {
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

pub(super) fn headphones(p: &Palette) -> Vec<Painted> {
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

pub(super) fn lamp(p: &Palette) -> Vec<Painted> {
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

pub(super) fn pens(p: &Palette) -> Vec<Painted> {
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

pub(super) fn plant(p: &Palette) -> Vec<Painted> {
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

pub(super) fn tent(p: &Palette) -> Vec<Painted> {
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

pub(super) fn tool(p: &Palette) -> Vec<Painted> {
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
