//! Starts `dfopt lsp` for Dockerfiles: the program that the settings name, else the one on the PATH of the project.

use zed_extension_api::{self as zed, serde_json, settings::LspSettings, LanguageServerId, Result};

struct DfoptExtension;

impl zed::Extension for DfoptExtension {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &zed::Worktree,
    ) -> Result<zed::Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)
            .ok()
            .and_then(|settings| settings.binary);
        let (path, arguments) = match binary {
            Some(binary) => (binary.path, binary.arguments),
            None => (None, None),
        };
        let command = path.or_else(|| worktree.which("dfopt")).ok_or_else(|| {
            "dfopt is not on the PATH: run `pip install dfopt`, or name the program in the settings \
             (lsp.dfopt.binary.path)"
                .to_string()
        })?;
        Ok(zed::Command {
            command,
            args: arguments.unwrap_or_else(|| vec!["lsp".to_string()]),
            env: worktree.shell_env(),
        })
    }

    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &zed::Worktree,
    ) -> Result<Option<serde_json::Value>> {
        let settings = LspSettings::for_worktree(server.as_ref(), worktree)?.settings;
        Ok(Some(
            serde_json::json!({ "dfopt": settings.unwrap_or_default() }),
        ))
    }
}

zed::register_extension!(DfoptExtension);
