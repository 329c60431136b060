//! No secret is ever shown: not one that is misspelt or misplaced in the TOML.

use newswire::config::{self, SourceFile};

use support::daemon::{Daemon, request, text};
use support::desk::Desk;

mod support;

/// What stands in the place of a secret in the tables below.
const CANARY: &str = "c4n4ry-5ecret";

/// The same as a number.
const NUMBER: &str = "481516234242";

/// Lines of a feed whose secret is misspelt or misplaced, each of them an error.
const IN_A_FEED: [&str; 54] = [
    "pasword = \"c4n4ry-5ecret\"",
    "pass = \"c4n4ry-5ecret\"",
    "pw = \"c4n4ry-5ecret\" # before: c4n4ry-5ecret-1",
    "passwd = [\"c4n4ry-5ecret\"]",
    "tokn = \"c4n4ry-5ecret\"",
    "token = \"c4n4ry-5ecret\"",
    "token = 481516234242",
    "secret = 'c4n4ry-5ecret'",
    "secret = 481516234242",
    "api-key = \"c4n4ry-5ecret\"",
    "apikey = \"\"\"\nc4n4ry-5ecret\n\"\"\"",
    "cookies = \"session=c4n4ry-5ecret\"",
    "auth = { user = \"me\", pass = \"c4n4ry-5ecret\" }",
    "basic_auth = \"me:c4n4ry-5ecret\"",
    "basic_auth = [\"me\", \"c4n4ry-5ecret\"]",
    "basic_auth = { user = \"me\", pasword = \"c4n4ry-5ecret\" }",
    "basic_auth = { user = \"me\", password = [\"c4n4ry-5ecret\"] }",
    "basic_auth = { user = \"me\", password = 481516234242 }",
    "basic_auth = { user = \"c4n4ry-5ecret:x\", password = \"y\" }",
    "basic_auth = { user = 481516234242, password = \"y\" }",
    "basic_auth = [{ user = \"me\", password = \"c4n4ry-5ecret\" }]",
    "basic_auth.pass = \"c4n4ry-5ecret\"",
    "basic_auth.password.value = \"c4n4ry-5ecret\"",
    "[feed.basic_auth]\nuser = \"me\"\npw = \"c4n4ry-5ecret\"",
    "[feed.basic_auth]\npasword = \"c4n4ry-5ecret\"\nuser = \"me\"",
    "[feed.auth]\nbearer = \"c4n4ry-5ecret\"",
    "headers = [\"Authorization: Bearer c4n4ry-5ecret\"]",
    "headers = [\n  [\"Authorization\", \"c4n4ry-5ecret\"],\n]",
    "headers = \"Authorization: Bearer c4n4ry-5ecret\"",
    "headers = { Authorization = [\"Bearer c4n4ry-5ecret\"] }",
    "headers = { Authorization = { value = \"c4n4ry-5ecret\" } }",
    "headers = { \"Authorization: Bearer c4n4ry-5ecret\" = \"\" }",
    "header = { X-Key = \"c4n4ry-5ecret\" }",
    "[feed.header]\nAuthorization = \"Bearer c4n4ry-5ecret\"",
    "[[feed.headers]]\nname = \"Authorization\"\nvalue = \"c4n4ry-5ecret\"",
    "[feed.headers]\nAuthorization: Bearer c4n4ry-5ecret",
    "proxy = \"me:c4n4ry-5ecret@proxy:3128\"",
    "proxy = { url = \"http://me:c4n4ry-5ecret@proxy:3128\" }",
    "proxi = \"http://me:c4n4ry-5ecret@proxy:3128\"",
    "password = c4n4ry-5ecret",
    "password = \"c4n4ry-5ecret",
    "password = \"\"\"\nc4n4ry-5ecret\n\"\" x",
    "password: \"c4n4ry-5ecret\"",
    "password \"c4n4ry-5ecret\"",
    "password = \"c4n4ry-5ecret\" \"x\"",
    "password = 'c4n4ry-5ecret''",
    "password = \"x # c4n4ry-5ecret",
    "url = \"https://me:c4n4ry-5ecret@a.example/\"",
    "url = { value = \"https://a.example/c4n4ry-5ecret\" }",
    "title = \"A\" c4n4ry-5ecret",
    "id = \"https://a.example/?token=c4n4ry-5ecret\"",
    "site = \"https://a.example/?key=c4n4ry-5ecret\"",
    "image = \"https://me:c4n4ry-5ecret@a.example/a.png\"",
    "sections = [\"https://me:c4n4ry-5ecret@a.example/\"]",
];

/// The same of a section and of a feed's address.
const OTHERS: [&str; 12] = [
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntokens = [\"c4n4ry-5ecret\"]",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { evn = \"c4n4ry-5ecret\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { env = \"c4n4ry-5ecret and more\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { c4n4ry-5ecret = \"\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = 481516234242",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\nbasic_auth = { user = \"me\", passwrd = \"c4n4ry-5ecret\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"https://a.example/?api_key=c4n4ry-5ecret\"]",
    "[[feed]]\nurl = \"ftp://me:c4n4ry-5ecret@a.example/\"",
    "[[feed]]\nurl = \"me:c4n4ry-5ecret@a.example/feed\"",
    "[[feed]]\nurl = \"https://me:c4n4ry/5ecret@a.example/\"",
    "[[feed]]\nurl = [\"https://a.example/?token=c4n4ry-5ecret\"]",
    "[[feed]]\nurl = 481516234242",
];

fn cases() -> Vec<String> {
    let of_feed = |line: &&str| format!("[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n{line}\n");
    IN_A_FEED.iter().map(of_feed).chain(OTHERS.iter().map(|text| format!("{text}\n"))).collect()
}

#[track_caller]
fn assert_hidden(place: &str, case: &str, shown: &str) {
    for canary in [CANARY, NUMBER, "5ecret"] {
        assert!(!shown.contains(canary), "{place} shows the secret of\n{case}\n{shown}");
    }
}

/// A config that is good until it includes one of the cases.
fn desk_with_cases() -> Desk {
    let desk = Desk::new("include = [\"cases/*.toml\"]\n");
    let main = format!("include = [\"cases/*.toml\"]\n{}", desk.read("newswire.toml").replace("include", "#"));
    desk.write("newswire.toml", &main);
    desk
}

#[test]
fn misspelt_or_misplaced_secret_is_not_shown_by_check_nor_at_the_start_of_the_daemon() {
    let desk = desk_with_cases();
    for case in cases() {
        desk.write("cases/1.toml", &case);
        for arguments in [&["check"] as &[&str], &["check", "--json"], &["run"]] {
            let told = desk.run(arguments);
            assert_eq!(told.code, 78, "{arguments:?} {case}\n{}{}", told.out, told.err);
            assert_hidden(&format!("{arguments:?}"), &case, &(told.out + &told.err));
        }
    }
}

#[cfg(unix)]
#[test]
fn misspelt_or_misplaced_secret_is_not_shown_when_the_daemon_reads_the_edited_config() {
    let desk = desk_with_cases();
    let mut daemon = Daemon::start(&desk);
    // Once it serves, it takes signals.
    daemon.get_until("/", "Test");
    for (number, case) in cases().iter().enumerate() {
        if number > 0 {
            std::fs::remove_file(desk.path(&format!("cases/{}.toml", number - 1))).unwrap();
        }
        let name = format!("cases/{number}.toml");
        desk.write(&name, case);
        daemon.signal("HUP");
        daemon.wait_for(&name);
        for path in ["/status", "/status.json", "/status.atom", "/metrics", "/healthz"] {
            assert_hidden(path, case, &text(&request(&daemon.admin, "GET", path, &[]).body));
        }
    }
    assert_eq!(daemon.end(), Some(0));
    assert_hidden("the log", "all", &daemon.seen.join("\n"));
}

#[test]
fn secret_on_the_command_line_is_not_repeated() {
    let desk =
        Desk::new("[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n");
    desk.write(
        "list",
        &format!("https://me:{CANARY}@b.example/?token={CANARY}\nhttps://b.example/?token={CANARY} x\n"),
    );
    for arguments in [
        &["set", "a", "headers={ X-Key = \"c4n4ry-5ecret\""] as &[&str],
        &["set", "a", "token c4n4ry-5ecret"],
        &["set", "a", "pasword=c4n4ry-5ecret"],
        &["set", "a", "basic_auth=me:c4n4ry-5ecret"],
        &["remove", "https://me:c4n4ry-5ecret@b.example/"],
        &["add", "--unseen", "--dry-run", "https://me:c4n4ry-5ecret@b.example/?token=c4n4ry-5ecret"],
        &["import", "list", "--dry-run"],
        &["import", "list"],
        &["config"],
        &["config", "--json"],
    ] {
        let told = desk.run(arguments);
        assert_hidden(&format!("{arguments:?}"), "", &(told.out + &told.err));
    }
}

/// What is wrong with a config, each problem on one line.
fn problems(text: &str) -> Vec<String> {
    let file = SourceFile { path: "/n.toml".into(), text: text.to_owned() };
    let (_, problems) = config::check(&[file], &|_| Ok("abc".into()));
    problems.iter().map(|problem| format!("{:?} {problem}", problem.level)).collect()
}

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n[[section]]\nid = \"s\"\nfeeds = [\"*\"]\n";

#[test]
fn secret_of_a_section_that_can_be_guessed_is_refused() {
    let check = |line: &str, expected: &str| {
        assert_eq!(problems(&format!("{FEED}{line}\n")), [expected], "{line}");
    };
    let hint = "make one with `openssl rand -hex 16`";
    let guessed = "anybody can guess a secret of fewer than 6 characters";
    check("token = \"x\"", &format!("Error /n.toml:7:9: {guessed} ({hint})"));
    check("token = { env = \"TOKEN\" }", &format!("Error /n.toml:7:9: {guessed} ({hint})"));
    check("basic_auth = { user = \"a\", password = \"12345\" }", &format!("Error /n.toml:7:39: {guessed} ({hint})"));
    check(
        "token = \"twelve-chars\"",
        &format!("Warning /n.toml:7:9: this secret has fewer than 16 characters ({hint})"),
    );
    assert!(problems(&format!("{FEED}token = \"0123456789abcdef\"\n")).is_empty());
}

#[test]
fn address_that_is_published_holds_no_secret() {
    let check = |text: &str, place: &str| {
        let told = problems(text).concat();
        let expected = format!("Error /n.toml:{place}: expected a URL without a secret such as `token`");
        assert!(told.contains(&expected), "{told}");
    };
    let url = "\"https://hub.example/?x=1&token=c4n4ry-5ecret\"";
    check(&format!("[publish]\nhub = {url}\n"), "2:7");
    check(&format!("[poll]\ncontact = {url}\n"), "2:11");
    check(&format!("[[feed]]\nurl = \"https://a.example/\"\nimage = {url}\n"), "3:9");
    let with_user = problems("[publish]\nhub = \"https://me:c4n4ry-5ecret@hub.example/\"\n");
    assert_eq!(with_user, ["Error /n.toml:2:7: expected a URL without user and password"]);
    assert!(problems("[publish]\nhub = \"https://hub.example/?topic=1\"\n").is_empty());
}

#[test]
fn credentials_that_are_sent_unencrypted_are_a_warning() {
    let check = |url: &str, line: &str, expected: Option<&str>| {
        let text = FEED.replace("https://a.example/\"\n", &format!("{url}\"\n{line}\n"));
        let told = "this is sent unencrypted over http (write https:// in `url` if the server has it)";
        let expected: Vec<String> = expected.iter().map(|place| format!("Warning /n.toml:{place}: {told}")).collect();
        assert_eq!(problems(&text), expected, "{url} {line}");
    };
    let (headers, basic) = ("headers = { X-Key = \"k\" }", "basic_auth = { user = \"a\", password = \"b\" }");
    check("http://a.example/", headers, Some("4:11"));
    check("http://a.example/", basic, Some("4:14"));
    check("http://u:p@a.example/", "", Some("3:7"));
    check("http://a.example/", "headers = { X-From = \"newswire\" }", None);
    check("https://a.example/", headers, None);
    check("http://127.0.0.1:8080/", headers, None);
}
