//! Whether a page asks for a password, by its fields and its scripts.

/// What a field for a password is called, in the languages of most of our mail.
const WORDS: [&str; 28] = [
    "password",
    "passwort",
    "kennwort",
    "passwd",
    "contrase\u{f1}a",
    "contrasena",
    "contrasenia",
    "mot de passe",
    "motdepasse",
    "mot_de_passe",
    "senha",
    "palavra-passe",
    "has\u{142}o",
    "haslo",
    "wachtwoord",
    "l\u{f6}senord",
    "losenord",
    "adgangskode",
    "salasana",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "\u{5bc6}\u{7801}",
    "\u{5bc6}\u{78bc}",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}",
    "\u{15f}ifre",
    "heslo",
    "jelsz\u{f3}",
    "parol\u{103}",
    "\u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2}",
];
/// Names of fields that mean one, whole.
const NAMES: [&str; 8] = ["pass", "pwd", "pw", "psw", "passcode", "userpass", "user_pass", "passw"];
/// Kinds of fields into which nobody types a word.
const NOT_TYPED: [&str; 12] =
    ["hidden", "submit", "button", "checkbox", "radio", "image", "reset", "file", "range", "color", "date", "search"];

/// Whether an `<input>` or a `<textarea>` asks for a password. `attribute` gives its attributes by name.
pub(super) fn is_asked(attribute: impl Fn(&str) -> Option<String>) -> bool {
    let lower = |name: &str| attribute(name).unwrap_or_default().trim().to_lowercase();
    let kind = lower("type");
    if kind == "password" {
        return true;
    }
    if NOT_TYPED.contains(&kind.as_str()) {
        return false;
    }
    let style: String = lower("style").split_whitespace().collect();
    let hides = style.contains("text-security:");
    let named = NAMES.contains(&lower("name").as_str()) || NAMES.contains(&lower("id").as_str());
    let said = ["name", "id", "placeholder", "aria-label", "title", "autocomplete"].into_iter().any(|name| {
        let text = lower(name);
        WORDS.iter().any(|word| text.contains(word))
    });
    hides || named || said
}

/// Where a script makes a field for a password. It is in lower case.
pub(super) fn places_made_by(script: &str) -> impl Iterator<Item = usize> {
    let places = script.match_indices("password").map(|(at, _)| at);
    places.filter(|at| {
        let at = *at;
        let before = &script[..at];
        let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\\' | '='));
        let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '"' | '\'' | '`'));
        let between = &script[before.len()..at];
        // type == "password" asks what a field is, and makes none.
        before.ends_with("type") && between.contains(['=', ',', ':']) && !between.contains("==")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(attributes: &[(&str, &str)]) -> bool {
        is_asked(|name| attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn fields_for_a_password() {
        for attributes in [
            &[("type", "password")][..],
            &[("type", "PASSWORD")],
            &[("type", "text"), ("name", "password")],
            &[("placeholder", "Ihr Passwort")],
            &[("type", "text"), ("placeholder", "Contrase\u{f1}a")],
            &[("name", "pwd")],
            &[("autocomplete", "current-password")],
            &[("type", "text"), ("style", "-webkit-text-security: disc")],
        ] {
            assert!(asked(attributes), "{attributes:?}");
        }
        for attributes in [
            &[("type", "text"), ("name", "passport")][..],
            &[("type", "text"), ("name", "passenger"), ("placeholder", "Your name")],
            &[("type", "submit"), ("name", "reset-password")],
            &[("type", "checkbox"), ("id", "remember-password")],
            &[("type", "search"), ("placeholder", "password")],
            &[("type", "email")],
            &[],
        ] {
            assert!(!asked(attributes), "{attributes:?}");
        }
    }

    #[test]
    fn fields_that_a_script_makes() {
        for script in [
            "f.type = 'password'",
            "f.setattribute('type', 'password')",
            "h.innerhtml=\"<input type=\\\"password\\\">\"",
            "d.write('<input type=password>')",
            "el('input', {type: \"password\"})",
        ] {
            assert!(places_made_by(script).next().is_some(), "{script}");
        }
        for script in
            ["if (f.type === 'password') toggle()", "forgot password", "prototype password", "type of password"]
        {
            assert!(places_made_by(script).next().is_none(), "{script}");
        }
    }
}
