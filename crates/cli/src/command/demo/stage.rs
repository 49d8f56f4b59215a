//! Where the demonstration takes place: a server of its own or the user's, and how it is left behind.

use std::sync::Arc;

use crate::client::Client;
use crate::output::{Output, Progress};
use crate::shell::word;
use crate::target::Target;
use crate::{Environment, Error, Global};

use super::Interruption;
use super::belongings::Belongings;
use super::own_server::{OwnServer, TIME_SCALE};
use super::report::{Report, Step};

/// A server, and what is the demonstration's on it.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    output: &'a Output,
    pub(super) client: Arc<Client>,
    pub(super) belongings: Belongings,
    /// `None` if the server is the user's.
    own: Option<OwnServer>,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(
        global: &Global,
        environment: &Environment,
        output: &'a Output,
        report: &mut Report,
    ) -> Result<Self, Error> {
        // Only flags mean the user's server: a variable that lies about must not turn a demonstration into work on it.
        let own = match (&global.endpoint_url, &global.data_dir) {
            (None, None) => Some(start(global, environment, output, report).await?),
            _ => None,
        };
        let (target, name) = match &own {
            Some(server) => (server.target()?, "tide".to_owned()),
            None => (
                Target::resolve(global, environment)?,
                format!("tide-demo-{:06x}", fastrand::u32(..1 << 24)),
            ),
        };
        let client = Arc::new(Client::new(target));
        client.announce(output, &format!("hosting endpoint {name}")).await?;
        Ok(Self { output, client, belongings: Belongings::named(name), own })
    }

    /// Removes what was made, and stops the own server.
    pub(super) async fn clear(
        self,
        interruption: &mut Interruption,
        report: &mut Report,
    ) -> Result<(), Error> {
        let name = "delete everything";
        let progress = Progress::start(self.output, name);
        let removed = tokio::select! {
            removed = self.belongings.remove(&self.client, self.output, &progress) => removed,
            () = interruption.comes() => Err(Error::Failed("the clean-up was interrupted".to_owned())),
        };
        let took = progress.elapsed();
        if removed.is_ok() {
            progress.done("");
        } else if self.own.is_none() {
            drop(progress);
            self.output.note(format_args!("left behind: {}", self.belongings.left().join(", ")));
        }
        report.steps.push(Step { name, took, tally: None });
        match self.own {
            Some(server) => removed.and(server.stop().await),
            None => removed,
        }
    }

    /// After a failure or an interruption: an own server takes everything with it when it stops.
    pub(super) async fn abandon(
        self,
        interruption: &mut Interruption,
        report: &mut Report,
    ) -> Result<(), Error> {
        match self.own {
            Some(server) => server.stop().await,
            None => self.clear(interruption, report).await,
        }
    }

    /// The end of the own server's log.
    pub(super) fn log_tail(&self) -> Option<String> {
        self.own.as_ref().map(OwnServer::log_tail)
    }

    /// Leaves everything as it is, and says how to go on with it.
    pub(super) fn leave(self) {
        let name = self.belongings.endpoint();
        let Some(server) = self.own else {
            self.output
                .note(format_args!("\nleft in place: {}", self.belongings.left().join(", ")));
            return;
        };
        let url = &self.client.target().server.url;
        let (data_dir, id) = server.keep();
        let (data_dir, id) = (word(&data_dir), id.unwrap_or_default());
        let program =
            std::env::current_exe().map_or_else(|_| "tidegate".to_owned(), |path| word(&path));
        self.output.note(format_args!(
            "\nThe server goes on at {url}, with endpoint {name}:\n  \
             talk to it:  eval \"$({program} env --data-dir {data_dir})\"\n  \
             look at it:  {program} endpoint describe {name} --data-dir {data_dir}\n  \
             stop it:     kill {id}"
        ));
    }
}

async fn start(
    global: &Global,
    environment: &Environment,
    output: &Output,
    report: &mut Report,
) -> Result<OwnServer, Error> {
    if global.profile.is_some() {
        let rule =
            "--profile is for a server of yours; name that too, with --endpoint-url or --data-dir";
        return Err(Error::Usage(rule.to_owned()));
    }
    let name = "start a server";
    let progress = Progress::start(output, name);
    let server = OwnServer::start(global.region.as_deref(), environment).await?;
    report.steps.push(Step { name, took: progress.elapsed(), tally: None });
    progress.done(format!("its time runs {TIME_SCALE} times as fast"));
    Ok(server)
}
