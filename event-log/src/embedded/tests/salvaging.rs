//! What is saved of a damaged log.

use serde_json::{Value, json};

use super::{
    damage::{contents, files, flip, ten_appends, written},
    *,
};

fn saved(from: &Path, to: &Path) -> Salvaged {
    let mut steps = vec![];
    let salvaged = salvage(from, to, &mut |progress| {
        assert!(progress.done <= progress.total);
        steps.push(progress.step);
    });
    let salvaged = salvaged.unwrap();
    assert!(
        steps.is_sorted_by_key(|step| *step == SalvageStep::Copying) && steps.last() == Some(&SalvageStep::Copying)
    );
    salvaged
}

fn lines(salvaged: &Salvaged) -> Vec<Value> {
    let text = std::fs::read_to_string(salvaged.behind_file.as_ref().unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn events(dir: &Path) -> Vec<Arc<RecordedEvent>> {
    read_on(&EmbeddedLog::open(dir).unwrap(), Position::START)
        .await
        .unwrap()
}

#[tokio::test]
async fn up_to_the_damage_a_log_and_behind_it_lines() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("log"), dir.path().join("saved"));
    let (journal, starts) = ten_appends(&from).await;
    let before = events(&from).await;
    flip(&journal, (starts[4] + 700) as u64, 4);
    let damaged = std::fs::read(&journal).unwrap();
    assert!(EmbeddedLog::open(&from).is_err());

    let salvaged = saved(&from, &to);
    // Of the damaged append's two events the first is not hit.
    assert_eq!((salvaged.copied, salvaged.behind), (9, 10));
    assert_eq!(salvaged.lost, [10..=10]);
    assert!(
        std::fs::read(&journal).unwrap() == damaged,
        "the damaged log was changed"
    );

    let lines = lines(&salvaged);
    assert_eq!(lines[0], json!({"lost": {"first": 10, "last": 10}}));
    assert_eq!(
        lines[1],
        json!({"missing": {"stream": "order-1", "first": 9, "last": 9}})
    );
    let readable: Vec<_> = lines[2..]
        .iter()
        .map(|line| line["position"].as_u64().unwrap())
        .collect();
    assert_eq!(readable, (11..=20).collect::<Vec<_>>());
    let (line, event) = (&lines[2], &before[10]);
    assert_eq!(
        (&line["stream"], &line["version"], &line["id"], &line["type"]),
        (&json!("order-1"), &json!(10), &json!(event.id), &json!("Tested"))
    );
    assert_eq!(line["metadata"], json!({"schema_version": 1}));
    // "5 0" is no JSON.
    assert_eq!(line["data_hex"], json!("352030"));

    let log = EmbeddedLog::open(&to).unwrap();
    let after = read_on(&log, Position::START).await.unwrap();
    assert_eq!(format!("{after:?}"), format!("{:?}", &before[..9]));
    assert_eq!(
        add(&log, 1, vec![super::event("on")]).await.unwrap().position,
        Position(10)
    );
}

/// Whatever fjall cannot open any more: the events in its files are found all the same, also in compressed tables.
#[tokio::test]
async fn no_file_but_those_with_events_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("log"), dir.path().join("saved"));
    let expected = written(&from).await;
    for file in files(&from) {
        let name = file.strip_prefix(&from).unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".jnl") && !name.contains("tables") {
            std::fs::remove_file(&file).unwrap();
        }
    }
    assert!(EmbeddedLog::open(&from).is_err());
    let salvaged = saved(&from, &to);
    assert_eq!(salvaged.copied, expected.len() as u64);
    assert_eq!(
        (salvaged.lost, salvaged.behind, salvaged.behind_file),
        (vec![], 0, None)
    );
    assert!(contents(&events(&to).await) == expected, "other events came back");
}

#[tokio::test]
async fn a_lost_end_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("log"), dir.path().join("saved"));
    let (journal, starts) = ten_appends(&from).await;
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(starts[9] as u64 + 20).unwrap();
    let salvaged = saved(&from, &to);
    assert_eq!((salvaged.copied, salvaged.behind), (18, 0));
    assert_eq!(salvaged.lost, [19..=20]);
    assert_eq!(lines(&salvaged), [json!({"lost": {"first": 19, "last": 20}})]);
    assert_eq!(events(&to).await.len(), 18);
}

#[tokio::test]
async fn only_from_a_log_to_a_new_place() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("log"), dir.path().join("saved"));
    let mut nothing = |_| {};
    let error = salvage(dir.path(), &to, &mut nothing).unwrap_err();
    assert!(matches!(error, SalvageError::NotALog(_)), "{error}");
    let log = EmbeddedLog::open(&from).unwrap();
    add(&log, 1, vec![event("one")]).await.unwrap();
    let error = salvage(&from, &to, &mut nothing).unwrap_err();
    assert!(matches!(error, SalvageError::InUse(_)), "{error}");
    drop(log);
    let error = salvage(&from, dir.path(), &mut nothing).unwrap_err();
    assert!(matches!(error, SalvageError::Occupied(_)), "{error}");
    assert!(!to.exists());
    // A log that nothing is wrong with is copied as it is.
    assert_eq!(saved(&from, &to).copied, 1);
}
