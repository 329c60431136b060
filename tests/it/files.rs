//! The config's files: how they are found, read and watched, and the errors for those that cannot be read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use newswire::config::Level;
use newswire::files::{self, FileWatch, LoadError};
use secrecy::ExposeSecret;
use tempfile::TempDir;

/// Creates a folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn feed(id: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"https://{id}.example/feed\"\n")
}

fn feed_ids(main: &Path) -> Vec<String> {
    files::load(main).unwrap().config.feeds.iter().map(|feed| feed.id.to_string()).collect()
}

/// `newswire check` shows the error in this form, and so does a daemon that refuses to start or to reload.
#[test]
fn invalid_template_is_a_config_error_with_file_and_line() {
    let main = format!("[publish]\ntemplates = \"own\"\n{}", feed("a"));
    let check = |name: &str, text: &str, expected: &[&str]| {
        let folder = folder(&[("newswire.toml", &main), ("own/.hidden", "{{"), (&format!("own/{name}"), text)]);
        let error = first_error(&folder);
        let shown = error.render(false);
        for part in expected {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert_eq!(error.problems.len(), 1);
    };
    check("story.html", "<h1>\n{{ story.titel }}", &["own/story.html:2", "2 | {{ story.titel }}", "undefined value"]);
    check("about.html", "\n\n{% if %}", &["own/about.html:3", "3 | {% if %}", "syntax error"]);
    check("abuot.html", "", &["own/abuot.html", "no template has this name", "about.html"]);
    let missing = folder(&[("newswire.toml", &main)]);
    assert!(first_error(&missing).to_string().contains("no such file or directory"));
    let right = folder(&[("newswire.toml", &main), ("own/about.html", "{{ site.title }}")]);
    assert!(files::load(&right.path().join("newswire.toml")).is_ok());
}

fn first_error(folder: &TempDir) -> LoadError {
    files::load(&folder.path().join("newswire.toml")).unwrap_err()
}

#[test]
fn included_files_are_read_in_order_and_each_once() {
    let folder = folder(&[
        (
            "newswire.toml",
            &format!("include = [\"feeds/*.toml\", \"feeds/b.toml\", \"more/**/*.toml\"]\n{}", feed("main")),
        ),
        ("feeds/b.toml", &feed("b")),
        ("feeds/a.toml", &feed("a")),
        ("feeds/.hidden.toml", "broken ["),
        ("feeds/a.toml~", "broken ["),
        ("more/deep/er/c.toml", &feed("c")),
    ]);
    assert_eq!(feed_ids(&folder.path().join("newswire.toml")), ["main", "a", "b", "c"]);
}

#[test]
fn folder_may_have_wildcards_in_its_own_name() {
    let folder = folder(&[
        ("we[ir]d *?/newswire.toml", "include = [\"feeds/*.toml\"]"),
        ("we[ir]d *?/feeds/a.toml", &feed("a")),
    ]);
    assert_eq!(feed_ids(&folder.path().join("we[ir]d *?/newswire.toml")), ["a"]);
}

#[test]
fn paths_are_relative_to_the_file_that_contains_them() {
    let folder = folder(&[
        ("newswire.toml", "include = [\"feeds/a.toml\"]\n[store]\npath = \"db/wire.db\"\n"),
        ("feeds/a.toml", "[[feed]]\nid = \"a\"\nurl = \"file:samples/a.xml\"\nca_file = \"ca.pem\"\n"),
    ]);
    let loaded = files::load(&folder.path().join("newswire.toml")).unwrap();
    assert_eq!(loaded.config.store.path, folder.path().join("db/wire.db"));
    let feed = &loaded.config.feeds[0];
    assert_eq!(feed.url.secret.to_file_path().unwrap(), folder.path().join("feeds/samples/a.xml"));
    assert_eq!(feed.ca_file, Some(folder.path().join("feeds/ca.pem")));
    assert_eq!(loaded.sources.len(), 2);
}

#[test]
fn secret_from_a_file_has_no_line_break_at_its_end() {
    fn check(content: &str, expected: &str) {
        let text = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\nheaders = { X = { file = \"key\" } }\n";
        let folder = folder(&[("newswire.toml", text), ("key", content)]);
        let loaded = files::load(&folder.path().join("newswire.toml")).unwrap();
        assert_eq!(loaded.config.feeds[0].headers[0].1.expose_secret(), expected);
    }
    check("t0k3n", "t0k3n");
    check("t0k3n\n", "t0k3n");
    check("t0k3n\r\n", "t0k3n");
    check(" t0k3n ", " t0k3n ");
}

#[test]
fn missing_secret_is_an_error_with_its_position() {
    fn check(reference: &str, expected: &str) {
        let text = format!("[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\nheaders = {{ X = {reference} }}\n");
        let folder =
            folder(&[("newswire.toml", &text), ("empty", "\n"), ("two-lines", "a\nb\n"), ("long", &"x".repeat(65537))]);
        let error = first_error(&folder);
        assert_eq!((error.problems[0].line, error.problems[0].column), (4, 17));
        assert!(error.problems[0].message.contains(expected), "{error}");
    }
    check("{ env = \"NEWSWIRE_TEST_NOT_SET\" }", "the environment variable `NEWSWIRE_TEST_NOT_SET` is not set");
    check("{ file = \"missing\" }", "no such file or directory");
    check("{ file = \"empty\" }", "the secret is empty");
    check("{ file = \".\" }", "is a directory");
    check("{ file = \"/dev/zero\" }", "a pipe or device, not a regular file");
    check("{ file = \"long\" }", "larger than 65536 bytes");
    check("{ file = \"two-lines\" }", "one line of text");
}

#[test]
fn unreadable_file_gets_a_reason_and_a_hint() {
    fn check(files: &[(&str, &[u8])], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            fs::write(folder.path().join(path), bytes).unwrap();
        }
        let error = first_error(&folder);
        assert_eq!(error.problems[0].level, Level::Error);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.render(false).starts_with("error: "), "{}", error.render(false));
        assert!(error.problems[0].hint.is_some());
    }
    check(&[], "cannot read the file: no such file or directory");
    check(
        &[("newswire.toml", b"[site]\ntitle = \"caf\xe9\"\n")],
        "newswire.toml:2:13: this is not UTF-8 (save the file as UTF-8)",
    );
    check(&[("newswire.toml", b"include = [\"a.toml\"]"), ("a.toml", b"\xff\xfe")], "a.toml:1:1: this is not UTF-8");
    check(&[("newswire.toml", b"include = [\"*.toml\"]")], "newswire.toml:1:12: the file includes itself");
    check(&[("newswire.toml", b"include = [\"a[.toml\"]")], "newswire.toml:1:12: ");
    check(
        &[("newswire.toml", b"include = [\"a.toml\"]"), ("a.toml", b"include = [\"b.toml\"]")],
        "unknown key `include` in an included file",
    );
}

#[test]
fn directory_and_endless_file_are_refused_as_config() {
    let folder = tempfile::tempdir().unwrap();
    assert!(files::load(folder.path()).unwrap_err().to_string().contains("is a directory"));
    assert!(files::load(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
}

#[cfg(unix)]
#[test]
fn broken_symbolic_link_is_reported_and_a_loop_of_links_ends() {
    let folder = folder(&[("newswire.toml", "include = [\"feeds/*.toml\"]"), ("feeds/a.toml", &feed("a"))]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("feeds/b.toml")).unwrap();
    std::os::unix::fs::symlink("c.toml", folder.path().join("feeds/c.toml")).unwrap();
    std::os::unix::fs::symlink("a.toml", folder.path().join("feeds/d.toml")).unwrap();
    let error = first_error(&folder);
    let files: Vec<_> = error.problems.iter().map(|problem| problem.file.file_name().unwrap().to_owned()).collect();
    assert_eq!(files, ["b.toml", "c.toml"], "{error}");
}

#[cfg(unix)]
#[test]
fn folder_that_links_to_itself_is_read_once() {
    let folder = folder(&[("newswire.toml", "include = [\"feeds/**/*.toml\"]"), ("feeds/a.toml", &feed("a"))]);
    std::os::unix::fs::symlink(".", folder.path().join("feeds/again")).unwrap();
    assert_eq!(feed_ids(&folder.path().join("newswire.toml")), ["a"]);
}

#[test]
fn pattern_that_matches_nothing_is_a_warning() {
    let folder = folder(&[("newswire.toml", &format!("include = [\"feeds/*.toml\"]\n{}", feed("a")))]);
    let loaded = files::load(&folder.path().join("newswire.toml")).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!((loaded.warnings[0].level, loaded.warnings[0].column), (Level::Warning, 12));
    assert_eq!(loaded.warnings[0].message, "no file matches");
}

#[cfg(unix)]
#[test]
fn plain_secret_is_a_warning_and_a_stronger_one_if_world_readable() {
    use std::os::unix::fs::PermissionsExt;
    fn check(line: &str, mode: u32, expected: Option<(usize, &str)>) {
        let folder = folder(&[("newswire.toml", &format!("{}{line}\n", feed("a")))]);
        let main = folder.path().join("newswire.toml");
        fs::set_permissions(&main, fs::Permissions::from_mode(mode)).unwrap();
        let warnings = files::load(&main).unwrap().warnings;
        let found = warnings.first().map(|warning| (warning.column, warning.message.as_str()));
        assert_eq!(found, expected, "{line}: {warnings:?}");
        assert!(warnings.len() < 2);
    }
    let (exposed, plain) = ("this file contains a secret and is readable by all users", "secret in plain text");
    check("headers = { Authorization = \"Bearer x\" }", 0o644, Some((30, exposed)));
    check("headers = { Authorization = \"Bearer x\" }", 0o640, Some((30, plain)));
    check("headers = { X-From = \"newswire\" }", 0o644, None);
    check("headers = { Authorization = { env = \"PATH\" } }", 0o644, None);
    check("basic_auth = { user = \"a\", password = \"b\" }", 0o604, Some((40, exposed)));
    check("proxy = \"http://u:p@proxy:3128\"", 0o644, Some((10, exposed)));
    check("# token = \"x\"", 0o644, None);
}

#[cfg(unix)]
#[test]
fn world_readable_secret_file_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder =
        folder(&[("newswire.toml", &format!("{}proxy = {{ file = \"p\" }}\n", feed("a"))), ("p", "http://proxy:1")]);
    let main = folder.path().join("newswire.toml");
    let messages = |mode: u32| {
        fs::set_permissions(folder.path().join("p"), fs::Permissions::from_mode(mode)).unwrap();
        files::load(&main).unwrap().warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>()
    };
    assert_eq!(messages(0o644), ["this file contains a secret and is readable by all users"]);
    assert!(messages(0o600).is_empty());
}

#[test]
fn explicit_config_takes_precedence() {
    let path = PathBuf::from("some/where.toml");
    assert_eq!(files::find(Some(&path)).unwrap(), path);
}

/// Returns whether the watch reports a change within five seconds.
async fn is_noticed(watch: &mut FileWatch) -> bool {
    tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.is_ok()
}

async fn stays_quiet(watch: &mut FileWatch) -> bool {
    tokio::time::timeout(Duration::from_millis(1500), watch.changed()).await.is_err()
}

fn watched() -> (TempDir, FileWatch) {
    let folder = folder(&[("newswire.toml", "include = [\"feeds/*.toml\"]"), ("feeds/a.toml", &feed("a"))]);
    let watch = files::watch(&folder.path().join("newswire.toml")).unwrap();
    (folder, watch)
}

#[tokio::test]
async fn edit_of_the_main_file_or_of_an_included_one_is_noticed() {
    let (folder, mut watch) = watched();
    write(folder.path(), "newswire.toml", "include = [\"feeds/*.toml\"]\n[site]\ntitle = \"x\"\n");
    assert!(is_noticed(&mut watch).await);
    write(folder.path(), "feeds/a.toml", &feed("aa"));
    assert!(is_noticed(&mut watch).await);
    fs::remove_file(folder.path().join("feeds/a.toml")).unwrap();
    assert!(is_noticed(&mut watch).await);
}

#[tokio::test]
async fn file_that_replaces_the_old_one_is_noticed() {
    let (folder, mut watch) = watched();
    for text in ["[site]\ntitle = \"x\"\n", "[site]\ntitle = \"y\"\n"] {
        write(folder.path(), "newswire.toml~", text);
        fs::rename(folder.path().join("newswire.toml~"), folder.path().join("newswire.toml")).unwrap();
        assert!(is_noticed(&mut watch).await);
    }
}

#[tokio::test]
async fn new_included_file_is_noticed_also_in_a_new_folder() {
    let folder = folder(&[("newswire.toml", "include = [\"feeds/*.toml\"]")]);
    let mut watch = files::watch(&folder.path().join("newswire.toml")).unwrap();
    write(folder.path(), "feeds/a.toml", &feed("a"));
    assert!(is_noticed(&mut watch).await);
    write(folder.path(), "feeds/b.toml", &feed("b"));
    assert!(is_noticed(&mut watch).await);
}

#[cfg(unix)]
#[tokio::test]
async fn replaced_symbolic_link_to_the_folder_of_the_config_is_noticed() {
    let folder =
        folder(&[("..1/newswire.toml", "[site]\ntitle = \"x\"\n"), ("..2/newswire.toml", "[site]\ntitle = \"y\"\n")]);
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    link("..1", "..data");
    link("..data/newswire.toml", "newswire.toml");
    let mut watch = files::watch(&folder.path().join("newswire.toml")).unwrap();
    link("..2", "..tmp");
    fs::rename(folder.path().join("..tmp"), folder.path().join("..data")).unwrap();
    assert!(is_noticed(&mut watch).await);
}

#[tokio::test]
async fn change_that_leaves_the_text_the_same_is_not_reported() {
    let (folder, mut watch) = watched();
    write(folder.path(), "feeds/a.toml", &feed("a"));
    write(folder.path(), "newswire.db-wal", "…");
    write(folder.path(), "other.toml", "x");
    fs::read(folder.path().join("newswire.toml")).unwrap();
    assert!(stays_quiet(&mut watch).await);
    write(folder.path(), "feeds/a.toml", "");
    write(folder.path(), "feeds/a.toml", &feed("b"));
    assert!(is_noticed(&mut watch).await);
    assert!(stays_quiet(&mut watch).await);
}

#[tokio::test]
async fn write_to_another_file_in_the_folder_does_not_cause_a_read_of_the_config() {
    let (folder, mut watch) = watched();
    for name in ["newswire.db", "newswire.db-wal", "store", "store-wal", "other.toml", "feeds/notes.txt"] {
        write(folder.path(), name, "…");
    }
    assert!(stays_quiet(&mut watch).await);
    assert_eq!(watch.reads(), 0);
    write(folder.path(), "feeds/b.toml", &feed("b"));
    assert!(is_noticed(&mut watch).await);
    assert!(watch.reads() > 0);
}
