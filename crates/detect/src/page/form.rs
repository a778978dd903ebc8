//! The forms of a page: which of them ask for a password, and where they send it.

/// Forms of one page that are kept.
const FORMS_MAX: usize = 200;
/// Places that one form sends to.
const TARGETS_MAX: usize = 20;

/// The forms of one page, as its elements come.
#[derive(Debug, Default)]
pub(super) struct Forms {
    forms: Vec<Form>,
    /// The one that is open: a form in a form is none (WHATWG 13.2.6.4.7).
    open: Option<usize>,
    /// Forms that fields outside of them belong to, by name.
    asked_by_name: Vec<String>,
    asks: bool,
}

#[derive(Debug, Default)]
struct Form {
    id: String,
    targets: Vec<String>,
    asks: bool,
}

impl Forms {
    /// A form begins.
    pub(super) fn begin(&mut self, id: String, action: Option<String>) {
        if self.open.is_none() && self.forms.len() < FORMS_MAX {
            self.open = Some(self.forms.len());
            self.forms.push(Form { id, targets: action.into_iter().collect(), asks: false });
        }
    }

    /// The open one ends.
    pub(super) fn end(&mut self) {
        self.open = None;
    }

    /// A field that asks for a password; `form` is the name of the form that it says it belongs to.
    pub(super) fn asks_for_password(&mut self, form: Option<String>) {
        self.asks = true;
        match (form, self.open.and_then(|at| self.forms.get_mut(at))) {
            (Some(name), _) if self.asked_by_name.len() < FORMS_MAX => self.asked_by_name.push(name),
            (_, Some(form)) => form.asks = true,
            _ => {}
        }
    }

    /// A button that sends the open form elsewhere.
    pub(super) fn button(&mut self, target: String) {
        if let Some(form) = self.open.and_then(|at| self.forms.get_mut(at))
            && form.targets.len() < TARGETS_MAX
        {
            form.targets.push(target);
        }
    }

    /// Whether any field asks for a password.
    pub(super) fn ask(&self) -> bool {
        self.asks
    }

    /// Where the forms that ask for a password send it.
    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        let asks = |form: &&Form| form.asks || (!form.id.is_empty() && self.asked_by_name.contains(&form.id));
        self.forms.iter().filter(asks).flat_map(|form| form.targets.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_where_its_own_form_goes() {
        let mut forms = Forms::default();
        forms.begin("login".into(), Some("/login".into()));
        forms.asks_for_password(None);
        forms.button("https://evil.example/".into());
        forms.begin("inner".into(), Some("https://inner.example/".into()));
        forms.end();
        forms.begin("search".into(), Some("https://www.example.com/search".into()));
        forms.end();
        assert_eq!(forms.targets().collect::<Vec<_>>(), ["/login", "https://evil.example/"]);
        forms.asks_for_password(Some("search".into()));
        assert_eq!(forms.targets().count(), 3);
    }
}
