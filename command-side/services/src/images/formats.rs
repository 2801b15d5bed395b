//! Which picture is this, and how large? Read from its header: nothing is unpacked, so no bytes of a stranger's are run
//! through a decoder, and a small file cannot become a large one.

/// The formats that are taken: those that every browser shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// Such as `image/png`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// Such as `png`.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }

    /// The format whose magic number the bytes begin with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }

    /// Width and height in pixels, as the header says; none where it is broken.
    pub fn dimensions(self, bytes: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Png => png(bytes),
            Self::Jpeg => jpeg(bytes),
            Self::Webp => webp(bytes),
        }
    }
}

/// The first chunk is IHDR, with width and height first (PNG specification, 11.2.1).
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((side(16)?, side(20)?))
}

/// Segments until the first start of frame, which has height and width (ITU T.81, B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            // A fill byte, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // Start of frame, of any kind but the three that share its numbers and are something else.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big_endian_16(bytes, at + 7)?, big_endian_16(bytes, at + 5)?));
            }
            // The scan or the end, and still no frame.
            0xd9 | 0xda => return None,
            _ => {
                let length = big_endian_16(bytes, at + 2)?;
                at += 2 + usize::try_from(length).ok().filter(|length| *length >= 2)?;
            }
        }
    }
}

/// One of three first chunks: lossy, lossless or extended (RFC 9649, 2.5 to 2.7).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let little_endian = |at: usize, length: usize| {
        let bytes = bytes.get(at..at + length)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0u32, |value, byte| value << 8 | u32::from(*byte)),
        )
    };
    match bytes.get(12..16)? {
        b"VP8 " if bytes.get(23..26)? == b"\x9d\x01\x2a" => {
            Some((little_endian(26, 2)? & 0x3fff, little_endian(28, 2)? & 0x3fff))
        }
        b"VP8L" if *bytes.get(20)? == 0x2f => {
            let sides = little_endian(21, 4)?;
            Some(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little_endian(24, 3)? + 1, little_endian(27, 3)? + 1)),
        _ => None,
    }
}

fn big_endian_16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}
