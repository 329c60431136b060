//! A folder with a config, in which tests run the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a `newswire.toml`.
pub struct Workspace {
    pub folder: TempDir,
}

/// The result of a command.
pub struct CommandOutput {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Workspace {
    pub fn new(rest: &str) -> Workspace {
        let workspace = Workspace::whole("");
        workspace.edit(rest);
        workspace
    }

    /// Copies the example config of this repository, and makes it listen on free ports.
    pub fn example() -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().unwrap() };
        copy_folder(Path::new("config"), workspace.folder.path());
        let config = workspace.read("newswire.toml");
        workspace.write(
            "newswire.toml",
            &config.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:8081", "127.0.0.1:0"),
        );
        workspace
    }

    /// Creates a folder with this config and nothing else in it.
    pub fn whole(config: &str) -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().unwrap() };
        workspace.write("newswire.toml", config);
        workspace
    }

    /// Writes another config, with the same `[site]` and `[server]` as [`Workspace::new`] writes.
    pub fn edit(&self, rest: &str) {
        let head = "[site]\ntitle = \"Test\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
        self.write("newswire.toml", &format!("{head}{rest}\n"));
    }

    pub fn config(&self) -> PathBuf {
        self.path("newswire.toml")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_newswire"));
        command.args(arguments).current_dir(self.folder.path());
        command.env_remove("NEWSWIRE_CONFIG").env_remove("RUST_LOG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        command_output(&self.command(arguments).output().unwrap())
    }

    /// Runs a command with `--json`. Returns the lines that it prints.
    pub fn json_lines(&self, arguments: &[&str]) -> Vec<Value> {
        let result = self.run(&[arguments, &["--json"]].concat());
        result.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a command with `--json`. Returns the JSON that it prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let result = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&result.out).unwrap_or_else(|_| panic!("{arguments:?}: {}{}", result.out, result.err))
    }
}

/// Copies the folder of a config, except stores.
fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else if !entry.file_name().to_string_lossy().contains(".db") {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn command_output(output: &Output) -> CommandOutput {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    CommandOutput { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Returns an RSS document with these entries: guid, title and text.
pub fn rss(entries: &[(&str, &str, &str)]) -> String {
    let items: String = entries
        .iter()
        .map(|(guid, title, text)| {
            format!("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>https://a.example/{guid}</link><description>{text}</description></item>")
        })
        .collect();
    format!(
        "<rss version=\"2.0\"><channel><title>The harbour</title><link>https://a.example/</link><description>d</description>{items}</channel></rss>"
    )
}
