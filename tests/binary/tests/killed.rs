//! The real binary, killed and started again.

use binary::kill::{Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_every_kill() {
    // The long form waits for mails that killed processes had claimed, which takes minutes.
    let plan = Plan {
        kills: 12,
        seed: 1,
        wait_for_mail: false,
    };
    println!("{}", run(plan).await);
}
