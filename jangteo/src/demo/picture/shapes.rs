//! Shapes as signed distances: negative inside, positive outside. One unit is about a third of the picture.

pub(super) type Point = (f32, f32);

/// A region of the plane; y grows downwards.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Centre and radius.
    Circle(Point, f32),
    /// Centre and half axes.
    Ellipse(Point, Point),
    /// Centre and half sides.
    Box(Point, Point),
    /// Centre, half sides and the radius of the corners.
    Rounded(Point, Point, f32),
    /// A thick line with round ends.
    Line(Point, Point, f32),
    /// Centre, radius and thickness.
    Ring(Point, f32, f32),
    /// Corners in order, and how far they are rounded outwards.
    Polygon(Vec<Point>, f32),
    /// What of a shape lies below this height.
    Below(Box<Shape>, f32),
    /// What of a shape lies above this height.
    Above(Box<Shape>, f32),
}

impl Shape {
    pub(super) fn below(self, y: f32) -> Self {
        Self::Below(Box::new(self), y)
    }

    pub(super) fn above(self, y: f32) -> Self {
        Self::Above(Box::new(self), y)
    }

    /// How far a point is from the edge.
    pub(super) fn distance(&self, at: Point) -> f32 {
        match self {
            Self::Circle(centre, radius) => length(sub(at, *centre)) - radius,
            Self::Ellipse(centre, half) => {
                // Exact enough near the edge, which is all that smooth edges need.
                let p = sub(at, *centre);
                let outer = length((p.0 / half.0, p.1 / half.1));
                let slope = length((p.0 / (half.0 * half.0), p.1 / (half.1 * half.1)));
                if slope > 0.0 {
                    outer * (outer - 1.0) / slope
                } else {
                    -half.0.min(half.1)
                }
            }
            Self::Box(centre, half) => rounded(sub(at, *centre), *half, 0.0),
            Self::Rounded(centre, half, radius) => rounded(sub(at, *centre), *half, *radius),
            Self::Line(from, to, thick) => to_segment(at, *from, *to) - thick,
            Self::Ring(centre, radius, thick) => (length(sub(at, *centre)) - radius).abs() - thick,
            Self::Polygon(corners, round) => polygon(at, corners) - round,
            Self::Below(shape, y) => shape.distance(at).max(y - at.1),
            Self::Above(shape, y) => shape.distance(at).max(at.1 - y),
        }
    }

    /// The corners of a box around it.
    pub(super) fn bounds(&self) -> (Point, Point) {
        let around = |c: Point, half: Point| ((c.0 - half.0, c.1 - half.1), (c.0 + half.0, c.1 + half.1));
        match self {
            Self::Circle(centre, radius) => around(*centre, (*radius, *radius)),
            Self::Ring(centre, radius, thick) => around(*centre, (radius + thick, radius + thick)),
            Self::Ellipse(centre, half) | Self::Box(centre, half) | Self::Rounded(centre, half, _) => {
                around(*centre, *half)
            }
            Self::Line(from, to, thick) => around_points(&[*from, *to], *thick),
            Self::Polygon(corners, round) => around_points(corners, *round),
            Self::Below(shape, y) => {
                let (low, high) = shape.bounds();
                ((low.0, low.1.max(*y)), high)
            }
            Self::Above(shape, y) => {
                let (low, high) = shape.bounds();
                (low, (high.0, high.1.min(*y)))
            }
        }
    }
}

fn sub(a: Point, b: Point) -> Point {
    (a.0 - b.0, a.1 - b.1)
}

fn length(p: Point) -> f32 {
    p.0.hypot(p.1)
}

fn rounded(p: Point, half: Point, radius: f32) -> f32 {
    let q = (p.0.abs() - half.0 + radius, p.1.abs() - half.1 + radius);
    length((q.0.max(0.0), q.1.max(0.0))) + q.0.max(q.1).min(0.0) - radius
}

fn to_segment(at: Point, from: Point, to: Point) -> f32 {
    let (p, d) = (sub(at, from), sub(to, from));
    let along = ((p.0 * d.0 + p.1 * d.1) / (d.0 * d.0 + d.1 * d.1)).clamp(0.0, 1.0);
    length((p.0 - d.0 * along, p.1 - d.1 * along))
}

fn polygon(at: Point, corners: &[Point]) -> f32 {
    let (mut nearest, mut inside) = (f32::MAX, false);
    for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        nearest = nearest.min(to_segment(at, *from, *to));
        let crosses = (from.1 > at.1) != (to.1 > at.1);
        if crosses && at.0 < (to.0 - from.0) * (at.1 - from.1) / (to.1 - from.1) + from.0 {
            inside = !inside;
        }
    }
    if inside { -nearest } else { nearest }
}

fn around_points(points: &[Point], margin: f32) -> (Point, Point) {
    let mut bounds = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    for point in points {
        bounds.0 = (bounds.0.0.min(point.0 - margin), bounds.0.1.min(point.1 - margin));
        bounds.1 = (bounds.1.0.max(point.0 + margin), bounds.1.1.max(point.1 + margin));
    }
    bounds
}
