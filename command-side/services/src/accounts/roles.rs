//! What an account may do, as an admin decides.

use edge::{Principal, RequestContext, Role};
use event_schemas::AccountId;
use serde::Deserialize;

use super::{
    Account, AccountError, Accounts, Done, Key,
    error::invalid,
    find, metadata,
    registration::{admins, introductions, roles_changed, roles_json},
};

/// All roles that an account has from now on.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoles {
    /// At least one.
    #[schema(value_type = Vec<Role>)]
    pub roles: Vec<Role>,
}

impl Accounts {
    /// Gives an account these roles and no others. Changing nothing tells nobody anything.
    ///
    /// Access tokens that are out keep the roles they were issued with until they expire; a refresh brings the new ones.
    ///
    /// # Errors
    /// When there is no such account, no role is given, or the last admin would go.
    pub async fn change_roles(
        &self,
        id: AccountId,
        new: &NewRoles,
        admin: &Principal,
        context: &RequestContext,
    ) -> Result<Done<Account>, AccountError> {
        let mut roles = new.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err(invalid(
                "roles",
                "expected at least one of customer, seller, admin, operator",
            ));
        }
        let mut transaction = self.database.begin().await?;
        let Some(stored) = find(&mut transaction, Key::Id(id)).await? else {
            return Err(AccountError::NotFound);
        };
        let before = stored.account;
        let mut sorted = before.roles.clone();
        sorted.sort_unstable();
        let account = Account {
            roles,
            ..before.clone()
        };
        let demoted = before.roles.contains(&Role::Admin) && !account.roles.contains(&Role::Admin);
        if demoted && admins(&mut transaction).await? == 1 {
            return Err(AccountError::LastAdmin);
        }
        if sorted == account.roles {
            drop(transaction);
            let position = self.position(None).await;
            return Ok(Done {
                answer: account,
                position,
            });
        }
        let values = [id.to_string().into(), roles_json(&account.roles).into()];
        transaction
            .run("UPDATE accounts SET roles = $2 WHERE id = $1", values)
            .await?;
        let metadata = metadata(context, admin.account_id, context.command_id(Some(admin.account_id)));
        let mut events = vec![roles_changed(admin.account_id, &account, &metadata)];
        let added = Account {
            roles: account
                .roles
                .iter()
                .copied()
                .filter(|role| !before.roles.contains(role))
                .collect(),
            ..account.clone()
        };
        events.extend(introductions(&added, &metadata));
        let seq = self.outbox.write(&mut transaction, &events).await?;
        transaction.commit().await?;
        self.outbox.committed(seq);
        let position = self.position(seq).await;
        Ok(Done {
            answer: account,
            position,
        })
    }
}
