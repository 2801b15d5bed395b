use super::*;

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_empty_folder_is_claimed_and_found_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("deep/shop");
    assert!(matches!(DataFolder::existing(&path), Err(FolderError::NoShop(_))));
    DataFolder::claim(&path).unwrap();
    DataFolder::claim(&path).unwrap();
    DataFolder::existing(&path).unwrap();
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o700);
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("format"), "2\n").unwrap();
    for error in [
        DataFolder::claim(temp.path()).unwrap_err(),
        DataFolder::existing(temp.path()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("newer version"), "{error}");
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn somebody_elses_files_are_not_touched() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("holiday.jpg"), "x").unwrap();
    assert!(matches!(DataFolder::claim(temp.path()), Err(FolderError::NotOurs(_))));
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn a_place_that_is_a_file_is_a_clear_error() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("file");
    fs::write(&path, "x").unwrap();
    let error = DataFolder::claim(&path).unwrap_err().to_string();
    assert!(error.contains("file") && error.contains("--data"), "{error}");
}

#[test]
fn a_spoilt_format_file_is_named() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("format"), "one\n").unwrap();
    let error = DataFolder::claim(temp.path()).unwrap_err().to_string();
    assert!(error.contains("format") && error.contains("backup"), "{error}");
}

#[test]
fn the_address_comes_and_goes_and_the_token_is_the_owners_alone() {
    let temp = tempfile::tempdir().unwrap();
    let folder = DataFolder::claim(temp.path()).unwrap();
    assert_eq!(folder.address(), None);
    let address = SocketAddr::from(([127, 0, 0, 1], 8080));
    folder.announce(address).unwrap();
    assert_eq!(folder.address(), Some(address));
    folder.announce_log("esdb://127.0.0.1:2113?tls=false").unwrap();
    assert_eq!(folder.log_address().as_deref(), Some("esdb://127.0.0.1:2113?tls=false"));
    folder.withdraw_address();
    assert_eq!((folder.address(), folder.log_address()), (None, None));
    folder.keep_operator_token("secret").unwrap();
    folder.keep_operator_token("secret 2").unwrap();
    assert_eq!(folder.operator_token().as_deref(), Some("secret 2"));
    #[cfg(unix)]
    assert_eq!(mode(&temp.path().join("operator-token")), 0o600);
}

#[test]
fn a_folder_is_one_process_and_one_role() {
    let temp = tempfile::tempdir().unwrap();
    let folder = DataFolder::claim(temp.path()).unwrap();
    let lock = folder.lock().unwrap();
    assert!(matches!(folder.lock(), Err(FolderError::InUse(_))));
    drop(lock);
    folder.lock().unwrap();
    folder.take_for(None).unwrap();
    folder.take_for(Some("query")).unwrap();
    folder.take_for(Some("query")).unwrap();
    for other in [None, Some("saga")] {
        let error = folder.take_for(other).unwrap_err().to_string();
        assert!(error.contains("serve --role query"), "{error}");
    }
    assert_eq!(folder.log_elsewhere(), None);
    folder.keep_log_source("esdb://localhost:2113").unwrap();
    assert_eq!(folder.log_elsewhere().as_deref(), Some("esdb://localhost:2113"));
}
