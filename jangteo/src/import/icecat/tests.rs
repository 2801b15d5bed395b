use event_schemas::{ShopEvent, product::ProductListed};

use super::*;
use crate::import::tests::{Kept, gzip, real};

const GOOD: &str = r#"{"id":"1","name":"X-1","title":"Acme X-1 coffee grinder","short_description":"Grinds.","supplier":"Acme","price":4995,"date_released":"2009-12-10T00:00:00Z","ean":["4006381333931","1"],"attrs":{"attr_t_product_colour":"Red","attr_n_weight":2.0,"attr_b_manual":true}}"#;

fn listed(kept: &Kept) -> Vec<(Timestamp, ProductListed)> {
    let told = kept.told().into_iter();
    told.filter_map(|(_, metadata, event)| match event {
        ShopEvent::Product(ProductEvent::ProductListed(listed)) => {
            assert!(metadata.imported);
            Some((metadata.occurred_at, listed))
        }
        _ => None,
    })
    .collect()
}

async fn import_text(text: impl AsRef<[u8]>, kept: &mut Kept) -> Result<ImportSummary, ImportError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    import(file.path(), Currency::USD, kept).await
}

#[tokio::test]
async fn a_line_becomes_a_product_plain_and_compressed_alike() {
    for text in [
        GOOD.as_bytes().to_vec(),
        gzip(GOOD.as_bytes()),
        format!("\n{GOOD}\r\n\n").into_bytes(),
    ] {
        let mut kept = Kept::default();
        let summary = import_text(text, &mut kept).await.unwrap();
        assert_eq!((summary.read, summary.imported, summary.events_appended), (1, 1, 2));
        assert_eq!(kept.types("seller"), ["SellerRegistered"]);
        let (at, product) = listed(&kept).remove(0);
        assert_eq!(at.to_string(), "2009-12-10T00:00:00.000Z");
        assert_eq!(
            (product.title.as_str(), product.brand.as_str()),
            ("Acme X-1 coffee grinder", "Acme")
        );
        assert_eq!(product.price, Money::new(4995, Currency::USD));
        assert_eq!(
            (product.category.as_str(), product.ean.as_deref()),
            ("Home/Appliances", Some("4006381333931"))
        );
        let attributes = serde_json::to_string(&product.attributes).unwrap();
        let expected = r#"{"Further EANs":"1","Manual":true,"Part number":"X-1","Product colour":"Red","Weight":2}"#;
        assert_eq!(attributes, expected);
    }
}

#[tokio::test]
async fn broken_lines_are_named_and_the_rest_goes_on() {
    let no_price = r#"{"id":"3","title":"Free"}"#;
    let control = r#"{"id":"4","title":"a\u0000b","price":1}"#;
    let text = [
        b"{\n\xff\xfe\n".as_slice(),
        no_price.as_bytes(),
        b"\n",
        control.as_bytes(),
        b"\n",
        GOOD.as_bytes(),
    ]
    .concat();
    let mut kept = Kept::default();
    let summary = import_text(text, &mut kept).await.unwrap();
    assert_eq!((summary.read, summary.imported, summary.refused.count), (5, 1, 4));
    let reasons: Vec<_> = summary
        .refused
        .first
        .iter()
        .map(|bad| (bad.line, bad.reason.as_str()))
        .collect();
    assert_eq!(reasons.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(
        reasons[0].1.contains("EOF") && reasons[1].1.contains("UTF-8"),
        "{reasons:?}"
    );
    assert!(
        reasons[2].1.contains("price") && reasons[3].1.contains("title"),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_line_without_end_is_refused_and_takes_no_memory() {
    let text = format!("{}\n{GOOD}\n", "x".repeat(3 << 20));
    let summary = import_text(text, &mut Kept::default()).await.unwrap();
    assert_eq!((summary.imported, summary.refused.first[0].line), (1, 1));
    assert!(summary.refused.first[0].reason.contains("longer than"));
}

#[tokio::test]
async fn a_second_import_adds_nothing() {
    let mut kept = Kept::default();
    import_text(GOOD, &mut kept).await.unwrap();
    let again = import_text(GOOD, &mut kept).await.unwrap();
    assert_eq!(
        (again.events_appended, again.events_already_there, kept.events.len()),
        (0, 2, 2)
    );
}

#[tokio::test]
async fn what_the_log_refuses_is_reported_with_its_line() {
    let product: event_schemas::ProductId = imported_id("icecat:product:1");
    let refuse = Some(event_schemas::Category::Product.stream(product.uuid()));
    let mut kept = Kept {
        refuse,
        ..Kept::default()
    };
    let summary = import_text(GOOD, &mut kept).await.unwrap();
    assert_eq!(
        (summary.imported, summary.refused.count, summary.refused.first[0].line),
        (0, 1, 1)
    );
    assert!(summary.refused.first[0].reason.contains("not today"));
}

#[tokio::test]
async fn a_failing_sink_and_a_torn_file_are_errors_and_running_again_completes() {
    let lines: Vec<_> = (0..2000)
        .map(|n| GOOD.replace(r#""id":"1""#, &format!(r#""id":"{n}""#)))
        .collect();
    let mut kept = Kept {
        fail_after: Some(700),
        ..Kept::default()
    };
    let error = import_text(lines.join("\n"), &mut kept).await.unwrap_err();
    assert!(
        matches!(error, ImportError::Sink(_)) && error.to_string().contains("run it again"),
        "{error}"
    );
    kept.fail_after = None;
    let summary = import_text(lines.join("\n"), &mut kept).await.unwrap();
    assert_eq!((kept.events.len(), summary.events_already_there), (2001, 700));
    let whole = gzip(lines.join("\n").as_bytes());
    let error = import_text(&whole[..whole.len() / 2], &mut Kept::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ImportError::Unreadable { .. }), "{error}");
}

#[test]
fn a_long_title_is_cut_at_a_word_and_kept_in_the_description() {
    let long = "wort ".repeat(80);
    let (title, description) = cut_title(long.trim(), "Text.".to_owned());
    assert!(
        title.chars().count() <= LONGEST_TITLE && title.ends_with("wort…"),
        "{title}"
    );
    assert!(description.starts_with(long.trim()) && description.ends_with("\nText."));
}

#[tokio::test]
async fn all_of_the_real_catalogue_is_taken() {
    let Some(file) = real("icecat/products.jsonl.gz") else {
        return;
    };
    let mut kept = Kept::default();
    let summary = import(&file, Currency::USD, &mut kept).await.unwrap();
    println!("{summary}");
    assert_eq!(
        (summary.read, summary.imported, summary.refused.count),
        (19_406, 19_406, 0),
        "{summary}"
    );
    assert_eq!(kept.events.len(), 19_407);
    let unknown = listed(&kept)
        .iter()
        .filter(|(_, product)| product.category == "Electronics")
        .count();
    assert!(unknown < 2_000, "{unknown} products without a category");
}
