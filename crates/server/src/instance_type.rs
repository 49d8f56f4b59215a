//! `[[instance_type]]` of the configuration file: what a label of AWS's means on this machine.

use std::collections::{BTreeMap, BTreeSet};

use control::task::scale::Machine;
use domain::instance::Resources;
use serde::Deserialize;

const MIB: u64 = 1 << 20;

/// One entry, as it was written. Numbers are signed, so that a negative one is refused in our words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceTypeEntry {
    name: String,
    /// The most instances of this type.
    instances: Option<u32>,
    /// Processors of each instance.
    cpus: Option<i64>,
    /// Memory of each process of an instance.
    memory_mib: Option<i64>,
}

/// What the entries come to, by instance type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InstanceTypes {
    pub quotas: BTreeMap<String, u32>,
    pub resources: BTreeMap<String, Resources>,
}

/// An entry that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceTypeError {
    #[error("[[instance_type]] name = {0:?} stands there twice; put its settings into one entry")]
    Twice(String),
    #[error(
        "[[instance_type]] name = {name:?}: cpus is {cpus}, but must lie between 1 and {most}, the processors that this \
         machine gives the server"
    )]
    Cpus { name: String, cpus: i64, most: u32 },
    #[error(
        "[[instance_type]] name = {name:?}: memory_mib is {memory_mib}, but must lie between 1 and {most}, the MiB of \
         this machine"
    )]
    Memory { name: String, memory_mib: i64, most: u64 },
}

/// Checks the entries against what the machine has.
pub(crate) fn check(
    entries: Vec<InstanceTypeEntry>,
    machine: Machine,
) -> Result<InstanceTypes, InstanceTypeError> {
    let (mut types, mut names) = (InstanceTypes::default(), BTreeSet::new());
    for InstanceTypeEntry { name, instances, cpus, memory_mib } in entries {
        if !names.insert(name.clone()) {
            return Err(InstanceTypeError::Twice(name));
        }
        let resources = Resources {
            cpus: cpus.map(|cpus| cpus_of(&name, cpus, machine.cores)).transpose()?,
            memory_bytes: memory_mib
                .map(|mib| bytes_of(&name, mib, machine.memory_bytes))
                .transpose()?,
        };
        if resources != Resources::default() {
            types.resources.insert(name.clone(), resources);
        }
        if let Some(instances) = instances {
            types.quotas.insert(name, instances);
        }
    }
    Ok(types)
}

fn cpus_of(name: &str, cpus: i64, most: u32) -> Result<u32, InstanceTypeError> {
    let number = u32::try_from(cpus).ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| InstanceTypeError::Cpus { name: name.to_owned(), cpus, most })
}

fn bytes_of(name: &str, memory_mib: i64, memory_bytes: u64) -> Result<u64, InstanceTypeError> {
    let most = memory_bytes / MIB;
    let mib = u64::try_from(memory_mib).ok().filter(|mib| (1..=most).contains(mib));
    let too_much = || InstanceTypeError::Memory { name: name.to_owned(), memory_mib, most };
    mib.map(|mib| mib * MIB).ok_or_else(too_much)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine of 8 GiB and four processors.
    const MACHINE: Machine = Machine { cores: 4, memory_bytes: 8 << 30 };

    fn checked(text: &str) -> Result<InstanceTypes, String> {
        #[derive(Deserialize)]
        struct File {
            instance_type: Vec<InstanceTypeEntry>,
        }
        let file: File = toml::from_str(text).map_err(|why| why.to_string())?;
        check(file.instance_type, MACHINE).map_err(|why| why.to_string())
    }

    #[test]
    fn each_setting_counts_alone_and_together() {
        let types = checked(
            "[[instance_type]]\nname = 'a'\ninstances = 3\n\
             [[instance_type]]\nname = 'b'\ncpus = 4\n\
             [[instance_type]]\nname = 'c'\nmemory_mib = 8192\n\
             [[instance_type]]\nname = 'd'\ninstances = 0\ncpus = 1\nmemory_mib = 1\n",
        )
        .unwrap();
        let quotas = [("a", 3), ("d", 0)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(types.quotas, quotas.into());
        let expected = [
            ("b", Resources { cpus: Some(4), memory_bytes: None }),
            ("c", Resources { cpus: None, memory_bytes: Some(8 << 30) }),
            ("d", Resources { cpus: Some(1), memory_bytes: Some(1 << 20) }),
        ];
        assert_eq!(types.resources, expected.map(|(name, one)| (name.to_owned(), one)).into());
    }

    #[test]
    fn what_the_machine_cannot_give_is_refused_by_name() {
        for (setting, expected) in [
            ("cpus = 0", "name = \"x\": cpus is 0, but must lie between 1 and 4,"),
            ("cpus = -1", "cpus is -1,"),
            ("cpus = 5", "cpus is 5, but must lie between 1 and 4,"),
            ("cpus = 4294967297", "cpus is 4294967297,"),
            ("cpus = 1.5", "expected i64"),
            ("memory_mib = 0", "name = \"x\": memory_mib is 0, but must lie between 1 and 8192,"),
            ("memory_mib = -1", "memory_mib is -1,"),
            ("memory_mib = 8193", "memory_mib is 8193,"),
            ("memory_mib = 9223372036854775807", "memory_mib is 9223372036854775807,"),
            ("memory = 1", "unknown field `memory`"),
            ("[[instance_type]]\nname = 'x'", "name = \"x\" stands there twice"),
        ] {
            let why = checked(&format!("[[instance_type]]\nname = 'x'\n{setting}\n")).unwrap_err();
            assert!(why.contains(expected), "{setting}: {why}");
        }
    }
}
