//! The files of a newswire: no command overwrites the store, lets others read it, writes to it if it is damaged, or
//! waits for a pipe.

use crate::support;
use crate::support::sql;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use support::daemon::*;

const CONFIG: &str = "[store]\npath = \"var/lib/newswire.db\"\n[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n\
                      [[section]]\nid = \"all\"\nfeeds = [\"*\"]\n";

const STORE: &str = "var/lib/newswire.db";

/// Creates a workspace and polls its two stories.
fn workspace() -> Workspace {
    let workspace = Workspace::new(CONFIG);
    workspace.write("a.xml", &headlines(&[("1", "Ferries are late"), ("2", "Nets")]));
    let result = workspace.run(&["poll"]);
    assert_eq!(result.code, 0, "{}", result.err);
    workspace
}

/// Asserts that a command fails with this exit code, and with one line that contains these words.
fn check_refused(workspace: &Workspace, arguments: &[&str], code: i32, expected: &str) {
    let result = workspace.run(arguments);
    assert!(result.code == code && result.err.contains(expected), "{arguments:?} {}: {}", result.code, result.err);
    assert_eq!(result.err.lines().count(), 1, "{}", result.err);
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn backup_never_replaces_the_store_or_a_file_of_another_kind() {
    let workspace = workspace();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    let inode = |name: &str| fs::symlink_metadata(workspace.path(name)).unwrap().ino();
    fs::hard_link(workspace.path(STORE), workspace.path("hard")).unwrap();
    symlink(STORE, workspace.path("soft")).unwrap();
    symlink("nowhere", workspace.path("dangling")).unwrap();
    fifo(&workspace.path("pipe"));
    let theirs = sql::open(workspace.path("theirs.db"));
    theirs.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = inode(STORE);
    let check = |file: &str, expected: &str| {
        let before = fs::symlink_metadata(workspace.path(file)).ok().map(|metadata| metadata.ino());
        check_refused(&workspace, &["backup", file], 1, expected);
        assert_eq!(fs::symlink_metadata(workspace.path(file)).ok().map(|metadata| metadata.ino()), before, "{file}");
    };
    for file in [STORE, "./var/../var/lib/newswire.db", "hard", "soft"] {
        check(file, "is the store itself");
    }
    for file in ["newswire.db-wal", "newswire.db-shm", "newswire.db-journal", "newswire.db.lock", "newswire.db.sock"] {
        check(&format!("var/lib/{file}"), "belongs to a store");
    }
    check("dangling", "is a symbolic link");
    check("pipe", "is a device, pipe or socket");
    check("/dev/null", "is a device, pipe or socket");
    check("var", "is a folder");
    check("newswire.toml", "has the name of a config file");
    check("a.xml", "is not a backup that newswire wrote");
    check("theirs.db", "is not a backup that newswire wrote");
    assert_eq!(inode(STORE), before);
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0, "the daemon still has its store");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn backup_is_not_written_into_the_published_folder_or_the_templates() {
    let workspace = workspace();
    workspace.edit(&format!("[publish]\ndirectory = \"public\"\ntemplates = \"own\"\n{CONFIG}"));
    fs::create_dir_all(workspace.path("public/deep")).unwrap();
    fs::create_dir(workspace.path("own")).unwrap();
    check_refused(
        &workspace,
        &["backup", "public/deep/copy.db"],
        1,
        "is in the folder set as `directory` under [publish]",
    );
    check_refused(&workspace, &["backup", "own/copy.db"], 1, "is in the folder set as `templates` under [publish]");
}

#[test]
fn backup_is_private_and_valid_and_replaces_an_older_one() {
    let workspace = workspace();
    for _ in 0..2 {
        let result = workspace.run(&["backup", "copy.db"]);
        assert_eq!(result.code, 0, "{}", result.err);
        assert_eq!(mode(&workspace.path("copy.db")), 0o600);
    }
    let left: Vec<_> = fs::read_dir(workspace.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".newswire-backup")), "{left:?}");
    workspace.edit(&CONFIG.replace(STORE, "copy.db"));
    assert_eq!(workspace.run(&["verify"]).code, 0);
    assert!(workspace.run(&["search", "ferries"]).out.contains("Ferries are late"));
    assert_eq!(workspace.run(&["poll"]).code, 0, "a backup is a store");
    workspace.edit(CONFIG);
    check_refused(&workspace, &["backup", "copy.db"], 1, "copy.db is a store in use, or was not closed");
}

/// Damages the store: overwrites the start of the root page of the index `entry_story`.
fn damage(store: &Path) {
    let page: i64 = {
        let connection = sql::open(store);
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'entry_story'";
        connection.query_row(root, [], |row| row.get(0)).unwrap()
    };
    let mut bytes = fs::read(store).unwrap();
    let at = usize::try_from(page - 1).unwrap() * 4096;
    bytes[at..at + 64].fill(0xff);
    fs::write(store, bytes).unwrap();
}

#[test]
fn damaged_store_is_reported_and_not_written_to() {
    let workspace = workspace();
    damage(&workspace.path(STORE));
    let before = fs::read(workspace.path(STORE)).unwrap();
    for arguments in [&["run"][..], &["poll", "--force"], &["publish", "--out", "site"]] {
        check_refused(&workspace, arguments, 1, "newswire.db is damaged and is not written to: ");
        check_refused(&workspace, arguments, 1, "put a backup in its place");
    }
    let result = workspace.run(&["verify"]);
    assert!(result.code == 1 && result.err.contains("is damaged") && result.err.contains("a backup"), "{}", result.err);
    assert_eq!(fs::read(workspace.path(STORE)).unwrap(), before);
}

#[test]
fn backup_of_a_damaged_store_does_not_replace_the_last_good_one() {
    let workspace = workspace();
    assert_eq!(workspace.run(&["backup", "good.db"]).code, 0);
    damage(&workspace.path(STORE));
    let good = fs::read(workspace.path("good.db")).unwrap();
    check_refused(&workspace, &["backup", "good.db"], 1, "is damaged");
    assert_eq!(fs::read(workspace.path("good.db")).unwrap(), good);
}

#[test]
fn store_replaced_under_the_daemon_is_not_written_to() {
    let workspace = workspace();
    assert_eq!(workspace.run(&["backup", "copy.db"]).code, 0);
    let copy = fs::read(workspace.path("copy.db")).unwrap();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    fs::rename(workspace.path("copy.db"), workspace.path(STORE)).unwrap();
    check_refused(&workspace, &["poll", "--force"], 1, "was moved, deleted or replaced while newswire was running");
    daemon.wait_for("was moved, deleted or replaced while newswire was running");
    assert_eq!(daemon.get("/all.json").status, 200, "published editions are still served");
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(fs::read(workspace.path(STORE)).unwrap(), copy);
    // SQLite's write-ahead log begins with a header of 32 bytes. Without a frame after the header, the log contains no
    // change.
    let log_bytes = fs::metadata(workspace.path("var/lib/newswire.db-wal")).map_or(0, |log| log.len());
    assert!(log_bytes <= 32, "the log of the old file must not be read with the new one: {log_bytes} bytes");
}

#[test]
fn store_deleted_under_the_daemon_is_reported_as_gone() {
    let workspace = workspace();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    fs::remove_file(workspace.path(STORE)).unwrap();
    check_refused(&workspace, &["poll", "--force"], 1, "was moved, deleted or replaced while newswire was running");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn damage_found_by_the_daemon_stops_all_writing() {
    let workspace = workspace();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    let file = fs::OpenOptions::new().write(true).open(workspace.path(STORE)).unwrap();
    file.set_len(0).unwrap();
    daemon.wait_for("newswire.db is damaged and is not written to: ");
    check_refused(&workspace, &["poll", "--force"], 1, "put a backup in its place");
    assert_eq!(daemon.get("/all.json").status, 200, "published editions are still served");
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(fs::metadata(workspace.path(STORE)).unwrap().len(), 0);
}

#[test]
fn read_only_commands_report_damage_once_with_a_hint() {
    let workspace = workspace();
    damage(&workspace.path(STORE));
    let result = workspace.run(&["explain", "Nets"]);
    assert_eq!(result.code, 1, "{}", result.out);
    assert!(
        result.err.contains("the store is damaged") && result.err.contains("put a backup in its place"),
        "{}",
        result.err
    );
    assert_eq!(result.err.matches("malformed").count(), 1, "{}", result.err);
}

#[test]
fn store_has_one_writer_even_if_opened_by_several_names() {
    let workspace = workspace();
    let under = |name: &str| CONFIG.replace(STORE, name);
    symlink(workspace.path(STORE), workspace.path("soft.db")).unwrap();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    workspace.write("soft.toml", &under("soft.db"));
    check_refused(&workspace, &["run", "--config", "soft.toml"], 1, "in use by `newswire run` (process ");
    assert_eq!(workspace.run(&["poll", "--config", "soft.toml"]).code, 0, "the daemon polls");
    fs::hard_link(workspace.path(STORE), workspace.path("hard.db")).unwrap();
    workspace.write("hard.toml", &under("hard.db"));
    for command in ["run", "poll"] {
        check_refused(&workspace, &[command, "--config", "hard.toml"], 1, "hard.db has 2 names (hard links)");
    }
    assert_eq!(daemon.end(), Some(0));
    fs::remove_file(workspace.path("hard.db")).unwrap();
    assert_eq!(workspace.run(&["poll", "--force", "--config", "soft.toml"]).code, 0);
}

#[test]
fn file_with_the_name_of_the_socket_is_reported_and_not_removed() {
    let workspace = workspace();
    workspace.write("var/lib/newswire.db.sock", "mine");
    let mut daemon = Daemon::start(&workspace);
    let is_named = |line: &String| line.contains("newswire.db.sock: another file has the name of the socket");
    assert!(daemon.seen.iter().any(is_named), "{:?}", daemon.seen);
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(workspace.read("var/lib/newswire.db.sock"), "mine");
}

#[test]
fn system_error_is_reported_once() {
    let workspace = workspace();
    let result = workspace.run(&["backup", "nowhere/copy.db"]);
    assert_eq!((result.code, result.err.matches("os error 2").count()), (1, 1), "{}", result.err);
}

/// Runs a shell script in which `$0` is the program. Returns the exit code.
fn shell(workspace: &Workspace, script: &str) -> i32 {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_newswire")]).current_dir(workspace.folder.path());
    command.env_remove("NEWSWIRE_CONFIG").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code().unwrap()
}

#[test]
fn store_and_the_files_next_to_it_are_private_under_any_umask() {
    for umask in ["000", "022", "077", "0277"] {
        let workspace = Workspace::new(CONFIG);
        workspace.write("a.xml", &headlines(&[("1", "Ferries are late")]));
        assert_eq!(shell(&workspace, &format!("umask {umask}; exec \"$0\" poll")), 0, "{umask}");
        let mut run = Command::new("sh");
        run.args(["-c", &format!("umask {umask}; exec \"$0\" run"), env!("CARGO_BIN_EXE_newswire")]);
        let mut daemon = Daemon::start_with(run.current_dir(workspace.folder.path()).env_remove("NEWSWIRE_CONFIG"));
        daemon.get_until("/all.json", "Ferries");
        for suffix in ["", "-wal", "-shm", ".lock", ".sock"] {
            assert_eq!(mode(&workspace.path(&format!("{STORE}{suffix}"))), 0o600, "{umask}: {suffix}");
        }
        if umask != "0277" {
            assert_eq!((mode(&workspace.path("var")), mode(&workspace.path("var/lib"))), (0o700, 0o700), "{umask}");
        }
        assert_eq!(daemon.end(), Some(0));
    }
}

#[test]
fn file_permissions_for_others_are_revoked() {
    let workspace = workspace();
    for suffix in ["", ".lock"] {
        let path = workspace.path(&format!("{STORE}{suffix}"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0);
    for suffix in ["", ".lock"] {
        assert_eq!(mode(&workspace.path(&format!("{STORE}{suffix}"))), 0o600, "{suffix}");
    }
}

#[test]
fn lock_that_is_a_link_or_a_pipe_is_refused_and_not_touched() {
    let workspace = workspace();
    let lock = workspace.path(&format!("{STORE}.lock"));
    fs::remove_file(&lock).unwrap();
    workspace.write("precious", "mine");
    symlink(workspace.path("precious"), &lock).unwrap();
    check_refused(&workspace, &["poll"], 1, "newswire.db.lock is not a regular file; remove it");
    assert_eq!(workspace.read("precious"), "mine");
    fs::remove_file(&lock).unwrap();
    fifo(&lock);
    check_refused(&workspace, &["poll"], 1, "newswire.db.lock is not a regular file; remove it");
}

#[test]
fn program_that_locks_the_lock_file_is_named() {
    let workspace = workspace();
    let file = fs::File::open(workspace.path(&format!("{STORE}.lock"))).unwrap();
    file.lock().unwrap();
    check_refused(&workspace, &["poll"], 1, &format!("(process {}); stop it first", std::process::id()));
}

/// Returns whether the tests run as root. Only root can change the owner of a file and run a program as another user.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| text(&id.stdout).trim() == "0")
}

#[test]
fn lock_of_another_user_is_named_with_its_owner_and_a_root_lock_is_given_to_the_owner_of_the_store() {
    let workspace = workspace();
    if !is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("not tried: it needs root and setpriv");
        return;
    }
    let as_user = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=12345", "--regid=12345", "--clear-groups", env!("CARGO_BIN_EXE_newswire")]);
        let output =
            command.args(arguments).current_dir(workspace.folder.path()).env_remove("NEWSWIRE_CONFIG").output();
        let output = output.unwrap();
        (output.status.code(), text(&output.stderr))
    };
    if as_user(&["--version"]).0 != Some(0) {
        eprintln!("not tried: another user cannot reach the program");
        return;
    }
    let owned = Command::new("chown").args(["-R", "12345:12345"]).arg(workspace.folder.path()).status().unwrap();
    assert!(owned.success());
    let lock = workspace.path(&format!("{STORE}.lock"));
    fs::remove_file(&lock).unwrap();
    assert_eq!(workspace.run(&["poll"]).code, 0, "root polls for the owner");
    assert_eq!(as_user(&["poll"]), (Some(0), String::new()), "the poll by root does not lock out the owner");
    fs::remove_file(&lock).unwrap();
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, result) = as_user(&["poll"]);
    assert!(code == Some(1) && result.contains("newswire.db.lock belongs to root; "), "{result}");
}

#[test]
fn pipes_and_devices_are_refused_wherever_a_file_is_configured_or_named() {
    let workspace = workspace();
    fifo(&workspace.path("pipe"));
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let result = workspace.run(arguments);
        let words = (result.out + &result.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(result.code == code && words.contains(expected), "{arguments:?} {}: {words}", result.code);
    };
    let what = "a pipe or device, not a regular file";
    let feed = "[[feed]]\nid = \"b\"\nurl = \"https://127.0.0.1:1/\"\nallow = [\"127.0.0.1:1\"]\n";
    for name in ["pipe", "/dev/zero"] {
        check(&["import", name], 1, what);
        check(&["inspect", name], 1, what);
        check(&["--config", name, "check"], 78, what);
        let main = workspace.read("newswire.toml");
        workspace.write("newswire.toml", &format!("include = [\"{name}\"]\n{main}"));
        check(&["check"], 78, what);
        workspace.edit(&format!("{feed}proxy = {{ file = \"{name}\" }}\n{CONFIG}"));
        check(&["check"], 78, what);
        workspace.edit(&format!("{feed}ca_file = \"{name}\"\n{CONFIG}"));
        check(&["poll", "--force", "b"], 1, "it is not a regular file");
        workspace.edit(CONFIG);
    }
    workspace.edit(&format!("[publish]\ntemplates = \"own\"\n{CONFIG}"));
    fs::create_dir(workspace.path("own")).unwrap();
    fifo(&workspace.path("own/about.html"));
    check(&["check"], 78, what);
    workspace.edit(&CONFIG.replace("file:a.xml", "file:pipe"));
    check(&["poll", "--force"], 1, "is not a regular file");
}

#[test]
fn document_is_inspected_from_standard_input() {
    let workspace = workspace();
    let input = fs::File::open(workspace.path("a.xml")).unwrap();
    let output = workspace.command(&["inspect", "-", "--json"]).stdin(input).output().unwrap();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["entries"][0]["title"], "Ferries are late");
}

#[test]
fn pipe_in_the_published_folder_is_replaced_unless_it_has_the_name_of_the_list_of_files() {
    let workspace = workspace();
    fs::create_dir_all(workspace.path("site/all")).unwrap();
    fifo(&workspace.path("site/all.json"));
    fifo(&workspace.path("site/all/index.html"));
    let result = workspace.run(&["publish", "--out", "site"]);
    assert_eq!(result.code, 0, "{}", result.err);
    assert!(
        workspace.read("site/all.json").contains("Ferries")
            && workspace.read("site/all/index.html").contains("Ferries")
    );
    fs::remove_file(workspace.path("site/.newswire-files")).unwrap();
    fifo(&workspace.path("site/.newswire-files"));
    check_refused(&workspace, &["publish", "--out", "site"], 1, "site/.newswire-files: a pipe or device");
}

#[test]
fn program_that_locks_the_store_is_named() {
    let workspace = workspace();
    let other = sql::open(workspace.path(STORE));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let command = fs::read_to_string("/proc/self/comm").unwrap();
    let holder = format!("the store is locked by {} (process {}); stop it", command.trim(), std::process::id());
    check_refused(&workspace, &["poll", "--force"], 1, &holder);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0);
}
