//! `docs/search.md` and `docs/orders.md` are what the shop does: their commands are run as they stand, what they print is what
//! the page says.

use std::path::Path;

use tokio::process::Command;

use crate::shop::{DEADLINE, Shop, skipped};

/// What the page expects behind this, line by line.
const PRINTED: &str = "#=> ";
/// Printed between two expectations.
const MARK: &str = "\u{1e}";

/// A page's commands as one script, and what it must print between marks.
fn script_of(page: &str) -> (String, Vec<String>) {
    let (mut script, mut expected) = ("set -eu\n".to_owned(), vec![]);
    let mut blocks = page.split("\n```bash\n").skip(1);
    while let Some((block, _)) = blocks.next().and_then(|block| block.split_once("\n```")) {
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            script.push_str(line);
            script.push('\n');
            let mut printed = String::new();
            while let Some(text) = lines.peek().and_then(|line| line.strip_prefix(PRINTED)) {
                printed.push_str(text);
                printed.push('\n');
                lines.next();
            }
            if !printed.is_empty() {
                script.push_str(&format!("printf '{MARK}'\n"));
                expected.push(printed);
            }
        }
    }
    (script, expected)
}

/// Runs a page of `docs/` against a shop of its own, once its catalogue is complete. It has at least so many examples.
async fn holds(page: &str, speed: &str, examples: usize) {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let (script, expected) = script_of(&std::fs::read_to_string(text).unwrap());
    assert!(expected.len() >= examples, "{} examples", expected.len());
    for tool in ["bash", "curl", "jq"] {
        if Command::new(tool).arg("--version").output().await.is_err() {
            skipped(&format!("docs/{page}"), &format!("there is no {tool} here"));
            return;
        }
    }
    let (data, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", speed]).await;
    let visitor = shop.sign_in("customer").await;
    shop.eventually("the whole catalogue is found", async || {
        visitor.query("search").await["total"] == 200
    })
    .await;
    let mut run = Command::new("bash");
    run.args(["-c", &script]).current_dir(place.path());
    run.env("api", format!("{}/api/v1", shop.address))
        .env("data", data.path());
    run.env("no_proxy", "*").kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE * 4, run.output()).await;
    let output = output.expect("the page's commands never ended").unwrap();
    let (printed, said) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{printed}\n{said}");
    let mut printed: Vec<_> = printed.split(MARK).map(str::to_owned).collect();
    assert_eq!(printed.pop().as_deref(), Some(""), "all that is printed is told");
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn the_chapter_on_search_says_what_the_shop_does() {
    holds("search.md", "1", 31).await;
}

#[tokio::test]
async fn the_chapter_on_orders_says_what_the_shop_does() {
    holds("orders.md", "2000", 12).await;
}
