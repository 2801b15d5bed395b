//! What an e-mail address, a name and a password look like. Everything wrong is told at once.

use edge::FieldError;

use super::error::AccountError;

/// The shortest and the longest password, in characters.
pub(super) const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
const LONGEST_EMAIL: usize = 254;
const LONGEST_NAME: usize = 100;

/// The form under which an address is found: `Kim@Example.com` and `kim@example.com` are one.
pub(super) fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// Holds the three against the rules.
pub(super) fn new_account(email: &str, password: &str, name: &str) -> Result<(), AccountError> {
    let mut errors = vec![];
    if !is_email(email) {
        errors.push(FieldError::new("email", "expected an address such as kim@example.com"));
    }
    if !PASSWORD.contains(&password.chars().count()) {
        let detail = format!("expected {} to {} characters", PASSWORD.start(), PASSWORD.end());
        errors.push(FieldError::new("password", detail));
    }
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        errors.push(FieldError::new(
            "name",
            format!("expected one line of 1 to {LONGEST_NAME} characters"),
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(AccountError::Invalid(errors))
    }
}

/// Only what no address can be is refused; whether it reaches anybody, only a mail can tell.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |part: &str| !part.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@');
    let labels = domain.split('.');
    text.len() <= LONGEST_EMAIL
        && (1..=64).contains(&local.len())
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && labels.clone().all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts_and_a_dot_behind_them() {
        for good in ["kim@example.com", "a.b+c@x.co.kr", "장터@예시.한국"] {
            assert!(is_email(good), "{good} was refused");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "kim",
            "kim@",
            "@example.com",
            "kim@example",
            "a b@example.com",
            "a@b@c.d",
            "a@b..c",
            &long,
        ] {
            assert!(!is_email(bad), "{bad} was taken");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let AccountError::Invalid(errors) = new_account("x", "short", " ").unwrap_err() else {
            panic!("another error");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["email", "password", "name"]);
        assert!(
            new_account("a@b.kr", "달항아리달항아리", "김하나").is_ok(),
            "eight characters, not bytes"
        );
        assert!(new_account("a@b.kr", &"x".repeat(129), "Kim").is_err());
    }
}
