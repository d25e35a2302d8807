//! Arguments that say where the data folder, its database and its master key are.

use std::path::PathBuf;

use clap::Args;

use super::serve::{CLINIC, data_folder};
use crate::store::{DatabaseUrl, MasterSource, Opening};

/// What systemd's `LoadCredential=master-key:...` is called in its folder.
const CREDENTIAL: &str = "master-key";

/// Where the master key comes from.
#[derive(Debug, Clone, Args)]
pub(super) struct MasterArguments {
    /// Fetch the master key by this command, run by `sh -c`: it prints 32 bytes, or their hexadecimal digits or base64 [default: master-key in $CREDENTIALS_DIRECTORY, else master.key in the data folder]
    #[arg(long, value_name = "COMMAND")]
    master_key_command: Option<String>,
}

impl MasterArguments {
    pub(super) fn source(&self) -> MasterSource {
        if let Some(command) = &self.master_key_command {
            return MasterSource::Command(command.clone());
        }
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(CREDENTIAL));
        credential.filter(|path| path.exists()).map_or(MasterSource::Folder, MasterSource::File)
    }
}

/// A data folder that is there.
#[derive(Debug, Clone, Args)]
pub(super) struct DataArguments {
    /// Folder of recordings and notes [default: cantoscribe/clinic in the XDG data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL that they are kept in, postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    #[command(flatten)]
    master: MasterArguments,
}

impl DataArguments {
    /// # Errors
    /// When no folder was named and there is no home.
    pub(super) fn opening(&self) -> anyhow::Result<Opening> {
        let data = data_folder(self.data.clone(), CLINIC)?;
        Ok(Opening { data, database: self.database.clone(), master: self.master.source(), ..Opening::default() })
    }
}
