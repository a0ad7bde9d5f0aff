//! Notes of each account: `xfer call PEER notes FILE` adds one, `xfer call PEER notes` shows them, and `notes.later`
//! shows them after a while.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::rc::Rc;
use xferd_plugin_sdk::handler::{Answer, AsyncHandler, Call, Spec, done, refused};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::{context, kv, task};

struct Notes {
    delay_ms: u64,
}

impl AsyncHandler for Notes {
    fn configure(settings: &Settings) -> Result<Self, String> {
        Ok(Self { delay_ms: settings.uint("delay-ms")? })
    }

    fn describe(&self) -> Vec<Spec> {
        vec![
            Spec::new("notes", "Adds a note, or shows them all"),
            Spec::new("notes.later", "Shows all notes after a while"),
        ]
    }

    async fn run(self: Rc<Self>, call: Call) -> Answer {
        // Facts of the call are read before it waits: afterwards there is another call, or none.
        let account = context::account();
        let Some(note) = call.text() else { return refused("a note is text") };
        if call.name == "notes.later" && task::after(self.delay_ms).await.is_err() {
            return refused("too many wait already");
        }
        let mut notes = kv::text(&account).unwrap_or_default();
        if note.is_empty() || call.name == "notes.later" {
            return done(notes);
        }
        notes.push_str(note);
        notes.push('\n');
        match kv::put(&account, notes.as_bytes()) {
            Ok(_) => done(""),
            Err(error) => refused(format!("there is no room for it: {error:?}")),
        }
    }
}

xferd_plugin_sdk::export_async_handler!(Notes);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::task::Tasks;

    #[test]
    fn notes_are_kept_and_shown_at_once_or_later() {
        let notes = Rc::new(Notes { delay_ms: 20 });
        let (mut world, mut tasks) = (Double::default(), Tasks::default());
        world.fact("account", "ann");
        let call = |world: &mut Double, tasks: &mut Tasks, name: &str, body: &[u8]| {
            let work = notes.clone().run(Call::of(name, body));
            world.run(|| tasks.begin(1, work))
        };
        assert_eq!(call(&mut world, &mut tasks, "notes", b"milk"), Some(done("")));
        assert_eq!(call(&mut world, &mut tasks, "notes", b""), Some(done("milk\n")));
        assert_eq!(call(&mut world, &mut tasks, "notes.later", b""), None);
        let due = world.unix_ms(20).due();
        world.run(|| tasks.deliver(&due));
        assert_eq!(world.sent()[0].body, b"milk\n");
    }
}
