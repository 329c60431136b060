//! What is wrong in `[[hook]]` and `[commands]`, and that no message shows a secret of them.

use std::path::PathBuf;

use newswire::config::{self, HookTarget, Problem, SecretRef, SourceFile};
use secrecy::SecretString;

fn problems(text: &str) -> Vec<String> {
    let text = format!(
        "[[feed]]\nid = \"a\"\nurl = \"https://a.example/feed\"\n[[section]]\nid = \"news\"\nfeeds = [\"*\"]\n{text}"
    );
    let source = SourceFile { path: PathBuf::from("/srv/wire/newswire.toml"), text };
    let secret = |_: &SecretRef| Ok(SecretString::from("canary"));
    let (_, problems) = config::check(&[source], &secret);
    problems.iter().map(|problem: &Problem| problem.to_string().replace("/srv/wire/newswire.toml:", "")).collect()
}

#[test]
fn every_mistake_in_a_hook_gets_one_line_that_says_what_to_do() {
    let check = |keys: &str, expected: &str| {
        assert_eq!(problems(&format!("[[hook]]\n{keys}\n")), [expected.to_owned()], "{keys}");
    };
    let url = |line: &str| format!("id = \"h\"\nurl = \"https://b.example/h\"\n{line}");
    check("url = \"https://b.example/h\"", "7:1: [[hook]] in line 7 needs `id`");
    check("id = \"h\"", "7:1: [[hook]] in line 7 needs `url`");
    check(
        "id = \"H h\"\nurl = \"https://b.example/h\"",
        "8:6: an id has at most 64 characters of a-z, 0-9 and -_., and begins with a letter or digit (write \"h-h\")",
    );
    check("id = \"h\"\nurl = \"b.example/canary\"", "9:7: expected a URL that begins with http:// or https://");
    check("id = \"h\"\nurl = { env = \"X\" }", "9:7: expected a URL that begins with http:// or https://");
    check(
        "id = \"h\"\ncommand = [\"x\"]",
        "9:11: no folder is allowed to run programs from (add allow = [\"/usr/local/lib/newswire\"] to [commands], with the folder of the program)",
    );
    check(&url("sections = [\"new\"]"), "10:13: there is no section `new` (did you mean `news`?)");
    check(&url("sections = \"news\""), "10:12: expected a list, found a string (put it in brackets: [\"news\"])");
    check(&url("keep = [{ titel = \"x\" }]"), "10:11: unknown key `titel` in a rule (did you mean `title`?)");
    let key = "expected `whsec_` and 24 to 64 bytes in base64 (make one with `echo whsec_$(openssl rand -base64 32)`)";
    check(&url("secret = \"canary\""), &format!("10:10: {key}"));
    check(&url("secret = \"whsec_c2hvcnQ=\""), &format!("10:10: {key}"));
    check(&url("secret = { env = \"X\" }"), &format!("10:10: {key}"));
    check(
        &url("allow = [\"not a host\"]"),
        "10:10: expected a network, an address or a host (such as \"192.168.1.0/24\", \"127.0.0.1:8081\" or \"intranet.example\")",
    );
    check(&url("events = []"), "10:10: expected at least one value in the list");
    check(
        &url("events = [\"publish\"]"),
        "10:11: expected one of \"published\", \"revised\", \"feed.failed\", \"feed.recovered\", \"feed.moved\" (did you mean \"published\"?)",
    );
    for later in ["withdrawn", "feed.suspect", "review.waiting"] {
        check(
            &url(&format!("events = [\"{later}\"]")),
            &format!(
                "10:11: newswire does not send `{later}` yet (it sends \"published\", \"revised\", \"feed.failed\", \"feed.recovered\", \"feed.moved\")"
            ),
        );
    }
    check(&url("max_age = \"5 seconds\""), "10:11: expected at least 1 minute");
    check(&url("max_age = \"60 days\""), "10:11: expected at most 30 days");
    check(
        &url("events = [\"feed.failed\"]\nkeep = [{ title = \"x\" }]"),
        "11:8: `keep` has no effect, because no event of a story is sent (add \"published\" to `events`)",
    );
    check(&url("token = \"canary\""), "10:1: unknown key `token` in [[hook]] (`token` belongs in [[section]])");
    let two = format!("{}\n[[hook]]\n{}", url(""), url(""));
    check(&two, "12:6: the id `h` is used twice (first used in line 8)");
}

#[test]
fn every_mistake_in_commands_gets_one_line_that_says_what_to_do() {
    let check = |text: &str, expected: &str| assert_eq!(problems(text), [expected.to_owned()], "{text}");
    let hook = |command: &str| format!("[commands]\nallow = [\"/usr/lib/wire\"]\n[[hook]]\nid = \"h\"\n{command}\n");
    check("[commands]\nmemory = \"1 MiB\"\n", "8:10: expected a size from 16384 KiB to 1024 GiB");
    check("[commands]\nconcurrency = 0\n", "8:15: expected a whole number from 1 to 100");
    check("[commands]\nallow = \"/x\"\n", "8:9: expected a list, found a string (put it in brackets: [\"/x\"])");
    let outside = "11:11: the program is in none of the folders in `allow` of [commands] (put the program there, or add its folder)";
    check(&hook("command = [\"/bin/sh\", \"-c\", \"x\"]"), outside);
    check(&hook("command = [\"/usr/lib/wire/../../bin/sh\"]"), outside);
    check(&hook("command = [\"./notify.sh\"]"), outside);
    check(&hook("command = [\"..\"]"), outside);
    check(&hook("command = []"), "11:11: expected a program and its arguments (such as [\"notify.sh\"])");
    check(
        &hook("command = \"notify.sh\""),
        "11:11: expected a list, found a string (put it in brackets: [\"notify.sh\"])",
    );
    check(
        &hook("command = [\"notify.sh\"]\nallow = [\"127.0.0.1:80\"]"),
        "12:9: `allow` is for a hook with a `url`; a command runs on this machine (remove it)",
    );
    check(
        &hook("command = [\"notify.sh\"]\nurl = \"https://b.example/\""),
        "11:11: a hook cannot have both `url` and `command` (make two hooks of it)",
    );
    assert_eq!(problems(&hook("command = [\"notify.sh\", \"to the editors\"]")), [""; 0]);
    assert_eq!(problems(&hook("command = [\"/usr/lib/wire/deep/notify.sh\"]")), [""; 0]);
}

#[test]
fn hook_stands_in_the_main_file_only() {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.to_owned() };
    let files = [
        file("/srv/newswire.toml", "include = [\"feeds.toml\"]\n"),
        file("/srv/feeds.toml", "[[hook]]\nid = \"h\"\nurl = \"https://b.example/\"\n[commands]\nallow = [\"/\"]\n"),
    ];
    let (config, problems) = config::check(&files, &|_| Err("no secrets".to_owned()));
    let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert!(config.is_none());
    let expected = [
        "/srv/feeds.toml:1:3: unknown key `hook` in an included file (`hook` belongs in the main file)",
        "/srv/feeds.toml:4:2: unknown key `commands` in an included file (`commands` belongs in the main file)",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn address_of_a_hook_is_hidden_in_every_line_that_is_shown() {
    let text = "[[hook]]\nid = \"h\"\nurl = \"https://b.example/services/canary\"\nsecret = \"whsec_canary\"\n";
    for text in [text.to_owned(), text.replace("id = \"h\"", "id = \"h"), text.replace("https://", "htps:/")] {
        let source = SourceFile { path: "/srv/newswire.toml".into(), text: text.clone() };
        let (_, problems) = config::check(std::slice::from_ref(&source), &|_| Err("no secrets".to_owned()));
        assert!(!problems.is_empty());
        let shown = config::render_problems(&problems, &[source], false);
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(!shown.contains("canary") && !lines.concat().contains("canary"), "{shown}{lines:?}");
    }
    let source = SourceFile {
        path: "/srv/newswire.toml".into(),
        text: "[[hook]]\nid = \"h\"\nurl = \"https://b.example/canary?x=canary\"\n".to_owned(),
    };
    let (config, _) = config::check(&[source], &|_| Err("no secrets".to_owned()));
    let hook = config.unwrap().hooks.remove(0);
    assert!(matches!(&hook.target, HookTarget::Url { url, .. } if url.path() == "/canary"));
    assert!(!format!("{hook:?}").contains("canary"), "{hook:?}");
}
