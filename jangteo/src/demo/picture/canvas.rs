//! A square of pixels on which shapes are painted, with smooth edges.

use bytes::Bytes;
use image::{
    ExtendedColorType, ImageEncoder as _,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use super::{
    colours::{Colour, Paint, mix},
    shapes::{Point, Shape},
};

/// Pixels for the length 1 of shapes; the origin is a little below the middle.
const SCALE: f32 = 168.0;

/// The picture while it is painted.
pub(super) struct Canvas {
    side: u32,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(side: u32, ground: Colour) -> Self {
        Self {
            side,
            pixels: vec![ground; (side * side) as usize],
        }
    }

    /// Paints a shape: lighter towards the window on the left, if the paint says so.
    pub(super) fn fill(&mut self, shape: &Shape, paint: Paint) {
        self.paint(shape, 0.0, |point, distance| {
            let shade = (point.0 * -0.9).clamp(-1.0, 1.0) * paint.volume;
            let target = if shade > 0.0 { [1.0; 3] } else { [0.0; 3] };
            (mix(paint.colour, target, shade.abs()), (0.5 - distance).clamp(0.0, 1.0))
        });
    }

    /// Paints a shape with an edge that fades out over `blur`, at most `strength` opaque: a shadow or a gleam.
    pub(super) fn soft(&mut self, shape: &Shape, colour: Colour, blur: f32, strength: f32) {
        let reach = blur * SCALE;
        self.paint(shape, blur, |_, distance| {
            let inside = (0.5 - distance / (2.0 * reach)).clamp(0.0, 1.0);
            (colour, inside * inside * strength)
        });
    }

    /// Asks `brush` for the colour and cover of each pixel that the shape may touch.
    fn paint(&mut self, shape: &Shape, margin: f32, brush: impl Fn(Point, f32) -> (Colour, f32)) {
        let (low, high) = shape.bounds();
        let centre = self.side as f32 * 0.5;
        let pixel = |value: f32, offset: f32| (value * SCALE + centre + offset).clamp(0.0, self.side as f32) as u32;
        let rows = pixel(low.1 - margin, 10.0)..pixel(high.1 + margin, 14.0);
        let columns = pixel(low.0 - margin, -2.0)..pixel(high.0 + margin, 2.0);
        for y in rows {
            for x in columns.clone() {
                let point = (
                    (x as f32 + 0.5 - centre) / SCALE,
                    (y as f32 + 0.5 - centre - 12.0) / SCALE,
                );
                let (colour, cover) = brush(point, shape.distance(point) * SCALE);
                if cover > 0.0
                    && let Some(ground) = self.pixels.get_mut((y * self.side + x) as usize)
                {
                    *ground = mix(*ground, colour, cover);
                }
            }
        }
    }

    pub(super) fn into_png(self) -> Result<Bytes, image::ImageError> {
        let bytes: Vec<u8> = self
            .pixels
            .iter()
            .flatten()
            .map(|part| (part * 255.0 + 0.5) as u8)
            .collect();
        let mut png = Vec::with_capacity(32 * 1024);
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive).write_image(
            &bytes,
            self.side,
            self.side,
            ExtendedColorType::Rgb8,
        )?;
        Ok(png.into())
    }
}
