//! What `wasm-pack.toml` may say; the file itself comments each field.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::BuildError;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The packages it describes, in the order they are built.
    pub(crate) package: Vec<Package>,
}

/// One npm package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) out: PathBuf,
    pub(crate) default: bool,
    pub(crate) tsconfig: Option<PathBuf>,
    pub(crate) types: Option<PathBuf>,
    pub(crate) readme: Option<PathBuf>,
    #[serde(default)]
    pub(crate) wasm: Vec<Wasm>,
    #[serde(default)]
    pub(crate) entry: Vec<Entry>,
    #[serde(default)]
    pub(crate) inlined: Vec<Inlined>,
}

/// Files of a package once more, compressed inside a script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inlined {
    pub(crate) file: String,
    pub(crate) of: Vec<String>,
}

/// One wasm file of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wasm {
    #[serde(rename = "crate")]
    pub(crate) crate_name: String,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    pub(crate) profile: String,
    pub(crate) bindgen: Bindgen,
    pub(crate) glue: Option<PathBuf>,
    pub(crate) file: String,
    pub(crate) wasm_opt: Vec<String>,
    pub(crate) later: Option<Later>,
}

/// The part of a wasm file that is loaded later.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Later {
    pub(crate) file: String,
    pub(crate) loader: String,
    pub(crate) paths: Vec<String>,
}

/// How JavaScript reaches the wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Bindgen {
    /// Through an ES module that wasm-bindgen writes.
    Web,
    /// Through its raw exports.
    None,
}

/// One JavaScript file of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) source: PathBuf,
    pub(crate) file: String,
    pub(crate) export: Option<String>,
    #[serde(default)]
    pub(crate) worker: bool,
    #[serde(default)]
    pub(crate) server: bool,
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Config, BuildError> {
    let text = std::fs::read_to_string(path).map_err(BuildError::file("read", path))?;
    toml::from_str(&text).map_err(|error| BuildError::Config {
        path: path.into(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_own_file_is_understood() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wasm-pack.toml");
        let config = read(&path).unwrap();
        assert!(config.package.iter().any(|package| package.default));
        for package in &config.package {
            for wasm in &package.wasm {
                assert_eq!(
                    wasm.glue.is_some(),
                    wasm.bindgen == Bindgen::Web,
                    "{}",
                    wasm.file
                );
            }
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        let folder = std::env::temp_dir().join(format!("wasm-build-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("wasm-pack.toml");
        std::fs::write(&path, "[[package]]\nname = \"x\"\nflavour = 1\n").unwrap();
        let message = read(&path).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(message.contains("flavour"), "{message}");
    }
}
