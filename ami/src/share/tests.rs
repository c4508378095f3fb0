use super::recipients::{is_account, is_organization};
use super::*;

fn place() -> Place {
    Place { account: "111111111111".to_owned(), region: "eu-west-1".to_owned() }
}

fn image(id: &str, app: &str, version: &str) -> Image {
    let tags = [("app", app), ("version", version)];
    Image {
        id: id.to_owned(),
        name: format!("{app}-{version}"),
        owner: "111111111111".to_owned(),
        state: "available".to_owned(),
        snapshots: vec![format!("snap-{id}")],
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Image::default()
    }
}

fn rules(app: &str) -> Rules {
    Rules { apps: [app.to_owned()].into(), ..Rules::default() }
}

fn with(accounts: &[&str]) -> Recipients {
    let accounts: BTreeSet<_> = accounts.iter().map(|id| (*id).to_owned()).collect();
    Recipients { snapshot_accounts: accounts.clone(), accounts, organizations: BTreeSet::new() }
}

#[test]
fn the_newest_version_is_shared_in_all_its_builds_snapshots_first() {
    let images = vec![
        image("ami-1", "web", "1.9.0"),
        image("ami-2", "web", "1.10.0"),
        image("ami-3", "web", "1.10.0"),
        image("ami-4", "web", "test-workflow"),
        image("ami-5", "api", "3.0.0"),
    ];
    let survey = Survey { images, ..Survey::default() };
    let plan = plan(&place(), &survey, &rules("web"), &with(&["222222222222", "111111111111"]));
    let objects: Vec<_> = plan.steps.iter().map(|step| step.action.object()).collect();
    assert_eq!(objects, ["snap-ami-2", "ami-2", "snap-ami-3", "ami-3"]);
    for step in &plan.steps {
        let text = serde_json::to_string(step).expect("JSON");
        assert!(!text.contains("111111111111"), "not with itself: {text}");
    }
}

#[test]
fn what_is_shared_already_is_no_step_and_what_lacks_is() {
    let grants = |accounts: &[&str]| Grants {
        accounts: accounts.iter().map(|id| (*id).to_owned()).collect(),
        ..Grants::default()
    };
    let survey = Survey {
        images: vec![image("ami-1", "web", "1.0.0")],
        image_grants: [("ami-1".to_owned(), grants(&["222222222222"]))].into(),
        snapshot_grants: [("snap-ami-1".to_owned(), ["222222222222".to_owned()].into())].into(),
    };
    assert!(plan(&place(), &survey, &rules("web"), &with(&["222222222222"])).is_empty());
    let more = with(&["222222222222", "333333333333"]);
    let found = plan(&place(), &survey, &rules("web"), &more);
    assert_eq!(found.steps.len(), 2);
    assert!(found.steps.iter().all(|step| step.why.starts_with("333333333333 may not")));
}

#[test]
fn what_is_encrypted_pending_or_another_s_is_kept() {
    let mut encrypted = image("ami-1", "web", "1.0.0");
    encrypted.is_encrypted = true;
    let mut pending = image("ami-2", "web", "1.0.0");
    pending.state = "pending".to_owned();
    let mut other = image("ami-3", "web", "1.0.0");
    other.owner = "999999999999".to_owned();
    let survey = Survey { images: vec![encrypted, pending, other], ..Survey::default() };
    let plan = plan(&place(), &survey, &rules("web"), &with(&["222222222222"]));
    assert!(plan.is_empty());
    assert_eq!(plan.kept.len(), 3);
}

#[test]
fn what_is_not_there_makes_no_plan() {
    let survey = Survey { images: vec![image("ami-1", "web", "1.0.0")], ..Survey::default() };
    let mut wanted = rules("web");
    wanted.version = Some("2.0.0".to_owned());
    let found = plan(&place(), &survey, &wanted, &with(&["222222222222"]));
    assert_eq!(found.refused.as_deref(), Some("there is no image of web"));
}

#[test]
fn recipients_are_read_from_the_account_scope_by_new_and_older_keys() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    for (text, accounts, snapshots) in [
        (
            "ami:\n  accounts: ['222222222222']\nshare_accounts: ['1']\n",
            "222222222222",
            "222222222222",
        ),
        (
            "share_accounts:\n - '222222222222'\nsnapshot_accounts: ['333333333333']\n",
            "222222222222",
            "333333333333",
        ),
        ("{\"ami_accounts\": [\"222222222222\"]}", "222222222222", "222222222222"),
    ] {
        let found = Recipients::of_scope(text).expect("recipients");
        assert_eq!(found.accounts, ids(&[accounts]), "{text}");
        assert_eq!(found.snapshot_accounts, ids(&[snapshots]), "{text}");
    }
    assert!(Recipients::of_scope("environment_id: stg\n").expect("a document").is_empty());
    // Without quotes YAML reads a number.
    for text in ["share_accounts: [222222222222]\n", "share_accounts: '222222222222'\n"] {
        let error = Recipients::of_scope(text).expect_err("a mistake").to_string();
        assert!(error.contains("share_accounts") && error.contains("in quotes"), "{error}");
    }
}

#[test]
fn ids_of_accounts_and_organisations_are_told_apart_from_anything_else() {
    assert!(is_account("012345678901"));
    for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢"] {
        assert!(!is_account(text), "{text}");
    }
    assert!(is_organization("arn:aws:organizations::123456789012:organization/o-abcdefghij"));
    assert!(is_organization(
        "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-abcdefgh"
    ));
    for text in ["o-abcdefghij", "arn:aws:iam::123456789012:role/x", "arn:aws:organizations::1:ou/"]
    {
        assert!(!is_organization(text), "{text}");
    }
}
