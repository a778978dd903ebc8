//! Makes a type of each message of the English file, with a field for each of its variables: a page that names a
//! message which is not there, or leaves a variable out, does not compile.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// The file that says which messages there are.
const MODEL: &str = "languages/en.ftl";
/// Messages whose rest of the name is a word of the service, and found when the page is made.
const WORD: &str = "word-";

fn main() {
    println!("cargo::rerun-if-changed={MODEL}");
    let text = fs::read_to_string(MODEL).expect("languages/en.ftl is read");
    let resource = fluent_syntax::parser::parse(text.as_str()).expect("languages/en.ftl is well-formed");
    let mut code = String::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        if !message.id.name.starts_with(WORD) {
            write_type(&mut code, message.id.name, message.value.as_ref().expect("a message has a text"));
        }
    }
    let folder = env::var("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&folder).join("message.rs"), code).expect("it is written");
}

fn write_type(code: &mut String, id: &str, pattern: &Pattern<&str>) {
    let mut variables = BTreeSet::new();
    variables_of(pattern, &mut variables);
    let name = id.replace('-', "_");
    assert!(
        id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
        "{id}: names have small letters, digits and hyphens"
    );
    let fields: String = variables.iter().map(|one| format!("/// See the text.\npub {one}: Value,\n")).collect();
    let values: String = variables.iter().map(|one| format!("(\"{one}\", self.{one}),")).collect();
    write!(
        code,
        "/// `{id}` of the languages.\n#[derive(Debug)]\npub struct {name} {{ {fields} }}\n\
         impl {name} {{\n    /// Its text in the language of the reader.\n    pub fn text(self) -> Text {{ \
         Text::of(\"{id}\", vec![{values}]) }}\n}}\n"
    )
    .expect("a string takes it");
}

fn variables_of<'t>(pattern: &Pattern<&'t str>, found: &mut BTreeSet<&'t str>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            variables_of_expression(expression, found);
        }
    }
}

fn variables_of_expression<'t>(expression: &Expression<&'t str>, found: &mut BTreeSet<&'t str>) {
    match expression {
        Expression::Inline(inline) => variables_of_inline(inline, found),
        Expression::Select { selector, variants } => {
            variables_of_inline(selector, found);
            variants.iter().for_each(|variant| variables_of(&variant.value, found));
        }
    }
}

fn variables_of_inline<'t>(inline: &InlineExpression<&'t str>, found: &mut BTreeSet<&'t str>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            found.insert(id.name);
        }
        InlineExpression::Placeable { expression } => variables_of_expression(expression, found),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|one| variables_of_inline(one, found));
        }
        _ => {}
    }
}
