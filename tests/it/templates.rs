//! `newswire templates`: the built-in templates as files.

use crate::support;

use support::daemon::*;

#[test]
fn built_in_templates_are_written_once_and_never_over_changed_ones() {
    let workspace = Workspace::whole(
        "[publish]\ntemplates = \"own\"\n[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
    );
    let own = workspace.path("own");
    let write = |more: &[&str]| {
        let done = output(&workspace.config(), &[&["templates", own.to_str().unwrap()], more].concat());
        (done.status.code(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
    };
    let (code, printed) = write(&[]);
    assert!(code == Some(0) && own.join("story_card.html").exists() && own.join("style.css").exists(), "{printed}");
    let checked = output(&workspace.config(), &["check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(write(&[]).1.contains(": 0 files written"));
    workspace.write("own/base.html", "mine");
    let (code, printed) = write(&[]);
    assert!(code == Some(1) && printed.contains("base.html was changed; nothing was written"), "{printed}");
    assert_eq!(workspace.read("own/base.html"), "mine");
    assert!(write(&["--force"]).1.contains(": 1 file written"));
}
