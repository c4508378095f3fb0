//! What went wrong in the scripts that boot fleets before gild, each shown not to happen here.
//!
//! The letters and numbers are those of the list of defects that the design was made from. A defect
//! that an existing test shows is named with that test; the others are tests below, one each. To add
//! one: a line here and a test beside its kind.
//!
//! | | what went wrong | shown by |
//! |---|---|---|
//! | D1 | a failing playbook gives an empty message | `notifications::receivers::the_failed_task_and_its_message_arrive_in_a_channel_and_at_a_topic_once`, `telling::a_step_that_says_nothing_is_told_of_in_words` |
//! | D2 | without AWS the boot goes on with nothing, and cannot tell | `telling::a_boot_that_gets_nothing_from_aws_runs_nothing_and_says_so`, in a machine `boot::outage` |
//! | D3 | the vault password stays on disk after a failure | `telling::a_failed_play_leaves_no_vault_password`, `notifications::moments`, in a machine `boot::secrets` |
//! | D4 | the vault password is in what is told | `telling::a_failed_play_leaves_no_vault_password`, `secrets` |
//! | D5 | an outage of the chat fails the boot; messages are too long or hold secrets | `notifications::receivers::receivers_that_misbehave_change_nothing_and_get_their_message_later`, `the_failed_task_…` |
//! | D6 | a part that fails is hidden by what comes after it | `telling::a_failure_is_not_hidden_by_what_the_step_does_after_it`; of a bake, the build side |
//! | D7 | the duration is the difference of two time zones | `telling::a_duration_is_the_same_in_every_time_zone` |
//! | D8 | failed changes to launch templates are called a success | the build side |
//! | D9 | a tag is run as root, or adds variables of its own | `reading::a_tag_with_spaces_sets_one_variable`, `step::text`, `older_system`, in a machine `boot::hostile_tags` |
//! | D10 | a comment of a YAML document is read as its value; quotes are kept | `reading::a_comment_is_no_value_and_quotes_are_none_of_it` |
//! | D11 | an environment's name matches those of others; a typo loads nothing | `reading::an_environment_loads_its_own_document_and_no_other` |
//! | D12 | what is copied from one environment to another is not seen | `cli_config::fixed::diff_compares_with_what_another_host_printed_and_with_a_document`, `explain_tells_in_one_command_…` |
//! | D13 | a page that says 404 is a name; an id must have 17 digits | `reading::a_page_that_says_404_is_no_name_and_an_id_may_have_any_length` |
//! | D14 | secrets are in tags | `reading::a_tag_cannot_name_a_secret_or_who_is_told` |
//! | D15 | an error page is run as code | `reading::an_error_page_is_neither_a_document_nor_a_playbook`; of a bake, the build side |
//! | D16 | one part of the system does not fit another's version | gild is one file and brings its plugin; with both ends of what it supports: `boot::matrix` |
//! | D17 | whose users log in is decided elsewhere | the build side; a boot asks only whom it is told to: `reading::an_error_page_…` |
//! | D18 | packages are needed at boot | `playbooks::archives::a_pinned_archive_that_is_there_needs_no_source`; of a bake, the build side |
//! | D19 | who reads while others publish gets a half | `playbooks::prefixes::a_prefix_is_whole_where_its_manifest_says_so`, `playbooks::crashes` |
//! | D20 | a local user plants the list of webhooks | `telling::a_list_of_webhooks_that_somebody_planted_is_not_read` |
//! | D21 | nothing has a deadline, and metrics need the network | `reading::a_daemon_whose_sources_all_hang_is_there_at_once`, `faults`, `step::ends`, in a machine `boot::outage` |
//! | D22 | what is to run at the end never does | `tests/drain.rs` |
//! | D23 | a second data disk, empty | stays in Ansible |
//! | D24 | one DNS record for many hosts, never removed | stays in Ansible |
//! | D25 | nobody hears whether an instance became ready | `tests/hook.rs` |
//! | D26 | it runs once, and nobody can ask what was applied | `boots`, `refresh`, `cli_config::fixed::explain_…`, in a machine `boot::matrix` and `boot::drift` |
//! | D27 | an image holds the credentials of the host it was made from | `telling::what_a_boot_leaves_on_disk_holds_no_credential`, `secrets`; that an image is sealed, the build side |

mod reading;
mod telling;
