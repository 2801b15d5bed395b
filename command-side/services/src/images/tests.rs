use super::*;

pub(crate) fn png(width: u32, height: u32) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x06\0\0\0");
    bytes.into()
}
fn jpeg(width: u16, height: u16) -> Bytes {
    // SOI, an APP0 segment of four bytes, a fill byte, SOF2.
    let mut bytes = b"\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc2\0\x11\x08".to_vec();
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.into()
}
fn webp(chunk: &[u8]) -> Bytes {
    [b"RIFF\x20\0\0\0WEBP", chunk].concat().into()
}

fn refused(bytes: &[u8]) -> &'static str {
    check(bytes).unwrap_err().code
}

#[test]
fn pictures_are_known_by_their_first_bytes_and_say_how_large_they_are() {
    assert_eq!(Format::Png.dimensions(&png(640, 480)), Some((640, 480)));
    assert_eq!(Format::Jpeg.dimensions(&jpeg(640, 480)), Some((640, 480)));
    // Chunk name, length, then each kind's own header.
    let lossy = webp(b"VP8 \x20\0\0\0\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01");
    let lossless = webp(&[b"VP8L\x20\0\0\0\x2f".as_slice(), &(639u32 | 479 << 14).to_le_bytes()].concat());
    let extended = webp(b"VP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0");
    for picture in [lossy, lossless, extended] {
        assert_eq!(Format::of(&picture), Some(Format::Webp));
        assert_eq!(Format::Webp.dimensions(&picture), Some((640, 480)), "{picture:?}");
    }
    for (picture, format) in [(png(1, 1), Format::Png), (jpeg(1, 1), Format::Jpeg)] {
        assert_eq!(check(&picture), Ok(format));
    }
}

#[test]
fn what_is_no_picture_is_refused_and_says_why() {
    assert_eq!(refused(b""), "image-format-unknown");
    assert_eq!(refused(b"GIF89a"), "image-format-unknown");
    assert_eq!(refused(b"<svg onload='alert(1)'/>"), "image-format-unknown");
    assert_eq!(refused(b"\x89PNG\r\n\x1a\n"), "image-broken");
    assert_eq!(refused(b"\xff\xd8\xff\xda"), "image-broken");
    assert_eq!(refused(&jpeg(1, 1)[..14]), "image-broken");
    // A segment that says it is shorter than its own length field must not be read for ever.
    assert_eq!(refused(b"\xff\xd8\xff\xe0\0\0\xff\xe0"), "image-broken");
    assert_eq!(refused(&webp(b"ALPH")), "image-broken");
    assert_eq!(refused(&png(0, 1)), "image-dimensions");
    assert_eq!(refused(&png(100_000, 100_000)), "image-dimensions");
    assert_eq!(refused(&vec![0xff; MAX_BYTES as usize + 1]), "image-too-large");
}

#[tokio::test]
async fn a_picture_is_kept_once_and_found_under_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::open(&folder.path().join("blobs")).unwrap();
    let stored = images.put(png(2, 3)).await.unwrap();
    assert_eq!(images.put(png(2, 3)).await.unwrap(), stored);
    assert!(stored.key.ends_with(".png"));
    assert_eq!(images.get(&stored.key).await.unwrap(), Some((Format::Png, png(2, 3))));
    assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_key_never_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.png"), "secret").unwrap();
    let images = Images::open(&folder.path().join("blobs")).unwrap();
    for key in [
        "../secret.png",
        "..%2fsecret.png",
        "",
        ".png",
        &format!("{}.gif", "a".repeat(64)),
    ] {
        assert_eq!(images.get(key).await.unwrap(), None, "{key}");
    }
    assert_eq!(images.get(&format!("{}.png", "a".repeat(64))).await.unwrap(), None);
}

#[tokio::test]
async fn a_picture_is_served_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::open(folder.path()).unwrap();
    let key = images.put(png(2, 3)).await.unwrap().key;
    let routes = edge::recovered(routes::routes(images));
    let found = warp::test::request()
        .path(&format!("/images/{key}"))
        .reply(&routes)
        .await;
    assert_eq!((found.status().as_u16(), found.body()), (200, &png(2, 3)));
    assert_eq!(found.headers()["content-type"], "image/png");
    assert_eq!(found.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(found.headers()["x-content-type-options"], "nosniff");
    let known = found.headers()["etag"].clone();
    let again = warp::test::request()
        .path(&format!("/images/{key}"))
        .header("if-none-match", known);
    assert_eq!(again.reply(&routes).await.status().as_u16(), 304);
    let missing = warp::test::request().path("/images/nothing.png").reply(&routes).await;
    assert_eq!(missing.status().as_u16(), 404);
    assert_eq!(missing.headers()["content-type"], "application/problem+json");
}
