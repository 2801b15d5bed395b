//! What differs between a rebuilt read model and the live one, on a terminal.

use std::io::{self, Write};

use serde_json::Value;

use crate::ops::comparison::{ComparisonView, DocumentDifferenceView};

/// Shows it.
pub(super) fn show(out: &mut dyn Write, name: &str, comparison: &ComparisonView) -> io::Result<()> {
    if let Some(failed) = &comparison.failed {
        return writeln!(out, "{name}: cannot be compared: {failed}");
    }
    let ComparisonView {
        documents,
        differing,
        searches,
        position,
        ..
    } = comparison;
    write!(
        out,
        "{name}: {documents} documents compared at {position}, {differing} differ"
    )?;
    if *searches > 0 {
        let changed = comparison.changed_searches.len();
        write!(
            out,
            "; {searches} recent searches repeated, {changed} find other products"
        )?;
    }
    writeln!(out)?;
    for document in &comparison.differences {
        show_document(out, document)?;
    }
    let more = differing.saturating_sub(comparison.differences.len() as u64);
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    for search in &comparison.changed_searches {
        writeln!(out, "  search {:?}", search.text)?;
        writeln!(out, "    live     {}", search.live.join(" "))?;
        writeln!(out, "    rebuilt  {}", search.rebuilt.join(" "))?;
    }
    Ok(())
}

fn show_document(out: &mut dyn Write, document: &DocumentDifferenceView) -> io::Result<()> {
    writeln!(out, "  {}", document.key)?;
    for field in &document.fields {
        let path = if field.path.is_empty() {
            "the document"
        } else {
            &field.path
        };
        writeln!(
            out,
            "    {path}: live {}, rebuilt {}",
            said(field.live.as_ref()),
            said(field.rebuilt.as_ref())
        )?;
    }
    Ok(())
}

fn said(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}
