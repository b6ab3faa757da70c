//! The sources of the workspace, for checks of the house's own rules.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Rust.
#[derive(Debug, Clone)]
pub struct Source {
    /// Relative to the workspace, with slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file of Rust under a folder of the workspace.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort();
    let relative = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found
        .iter()
        .map(|path| Source { path: relative(path), text: fs::read_to_string(path).unwrap() })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The packages that are published, by their folders.
pub fn packages() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("commerce-") && root().join(name).join("Cargo.toml").is_file())
        .collect();
    names.sort();
    names
}

impl Source {
    /// Whether the whole file is for tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let parts = ["tests", "properties", "generate", "history", "permission_coverage"];
        parts.contains(&name)
            || name.ends_with("_tests")
            || name.ends_with("_properties")
            || self.path.contains("/tests/")
    }

    /// The code that is shipped: without comments and without what only tests compile.
    pub fn shipped(&self) -> String {
        if self.is_test() {
            return String::new();
        }
        // The tests of a module stand at its end (clippy's `items_after_test_module`).
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text[..end].lines().map(without_comment).collect::<Vec<_>>().join("\n")
    }

    /// All code, without comments.
    pub fn code(&self) -> String {
        self.text.lines().map(without_comment).collect::<Vec<_>>().join("\n")
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    // Good enough for this code: no string in it holds a comment behind a space.
    line.split(" // ").next().unwrap_or(line)
}
