//! Every command of every context asks for a permission that the table of `identity` knows, and the table
//! lists nothing that nobody asks for. Read from the sources, so that no command can be left out.

use std::collections::BTreeSet;
use std::path::Path;

use crate::identity::find;
use crate::identity::permission::TABLE;

type Asked = BTreeSet<(String, String)>;

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            texts.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

/// The name of an aggregate, from wherever it is implemented.
fn name_of(aggregate: &str, texts: &[String]) -> String {
    let start = format!("impl Aggregate for {aggregate} {{");
    let mut found = texts.iter().filter_map(|text| text.split_once(&start));
    let (_, rest) = found.next().unwrap_or_else(|| panic!("no aggregate {aggregate}"));
    between(rest, "const NAME: &'static str = \"", "\"").unwrap().to_owned()
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Every permission that a command of the sources returns, by command.
fn asked() -> Vec<(String, Asked)> {
    let mut texts = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let mut commands = Vec::new();
    for text in &texts {
        for block in text.split("\nimpl Command for ").skip(1) {
            let block = block.split("\n}\n").next().unwrap();
            let (command, _) = block.split_once(" {").unwrap();
            let target = between(block, "type Target = ", ";").unwrap();
            let body = between(block, "fn permission(&self) -> Permission {", "\n    }").unwrap();
            let (before, made) = body.split_once("Permission::new(").unwrap();
            let mut in_call = literals(made);
            let resource = if made.starts_with('"') {
                in_call.next().unwrap().to_owned()
            } else {
                name_of(target, &texts)
            };
            let actions = literals(before).chain(in_call);
            let asked: Asked = actions.map(|action| (resource.clone(), action.to_owned())).collect();
            commands.push((command.to_owned(), asked));
        }
    }
    commands
}

/// identity-3: no command relies on the default for what is unknown.
#[test]
fn identity_3_every_command_is_in_the_table() {
    let commands = asked();
    assert!(commands.len() >= 17, "only {} commands found", commands.len());
    for (command, asked) in commands {
        assert!(!asked.is_empty(), "{command} asks for nothing");
        for (resource, action) in asked {
            assert!(find(&resource, &action).is_some(), "{command}: {resource}:{action} is not in the table");
        }
    }
}

#[test]
fn the_table_lists_nothing_that_nobody_asks_for() {
    let asked: Asked = asked().into_iter().flat_map(|(_, asked)| asked).collect();
    let unknown: Vec<_> = TABLE
        .iter()
        // Reading is no command.
        .filter(|(known, _)| known.action != "read")
        .filter(|(known, _)| !asked.contains(&(known.resource.to_owned(), known.action.to_owned())))
        .map(|(known, _)| known.to_string())
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
