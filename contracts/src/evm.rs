//! An Ethereum virtual machine in this process: deploy, call, count gas.

use std::collections::BTreeMap;

use revm::context::result::{EVMError, ExecutionResult, Output};
use revm::context::{BlockEnv, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, TxKind, U256};
use revm::state::{AccountInfo, Bytecode};
use revm::{Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm};
use thiserror::Error;

use crate::artifact::Artifact;

/// The most gas a transaction may ask for: 2^24 (EIP-7825).
pub const TX_GAS_MAX: u64 = 1 << 24;

/// Which rules the machine follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// Ethereum's rules since December 2025.
    Osaka,
    /// The next rules, as far as they are known.
    Amsterdam,
}

impl Fork {
    /// The name in `fixtures/gas.json`.
    pub fn name(self) -> &'static str {
        match self {
            Fork::Osaka => "osaka",
            Fork::Amsterdam => "amsterdam",
        }
    }
}

/// A message to a contract.
#[derive(Clone, Debug)]
pub struct Call {
    /// Sender.
    pub from: Address,
    /// Receiver.
    pub to: Address,
    /// Wei sent along.
    pub value: U256,
    /// Calldata.
    pub data: Vec<u8>,
}

/// What a successful transaction cost and returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Gas of the whole transaction: base, calldata (or its floor) and execution.
    pub gas: u64,
    /// The same without the calldata floor of EIP-7623 and its successors.
    pub gas_without_floor: u64,
    /// Returned bytes.
    pub output: Vec<u8>,
    /// Data of the emitted logs with their topics, in order.
    pub logs: Vec<(Vec<[u8; 32]>, Vec<u8>)>,
}

/// Why a transaction had no effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The contract reverted.
    #[error("reverted with {name}")]
    Revert {
        /// The custom error's name; the data in hexadecimal digits when it is unknown, and empty
        /// when there is none.
        name: String,
        /// Gas spent.
        gas: u64,
    },
    /// The machine stopped: out of gas, invalid opcode and the like.
    #[error("halted: {reason}")]
    Halt {
        /// The machine's reason.
        reason: String,
        /// Gas spent.
        gas: u64,
    },
    /// The transaction was not executed at all.
    #[error("not executed: {0}")]
    Invalid(String),
}

impl Failure {
    /// The custom error's name, empty when the failure is not a revert with a known error.
    pub fn name(&self) -> &str {
        match self {
            Failure::Revert { name, .. } => name,
            _ => "",
        }
    }
}

/// The machine with its state.
pub struct Evm {
    machine: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
    chain_id: u64,
    errors: BTreeMap<[u8; 4], String>,
    nonces: BTreeMap<Address, u64>,
}

impl Evm {
    /// The sender of [`Evm::deploy`] and [`Evm::call`].
    pub const SENDER: Address = Address::repeat_byte(0x5e);

    /// An empty chain.
    pub fn new(fork: Fork, chain_id: u64) -> Self {
        let spec = match fork {
            Fork::Osaka => SpecId::OSAKA,
            Fork::Amsterdam => SpecId::AMSTERDAM,
        };
        let machine = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(spec);
                cfg.chain_id = chain_id;
            })
            .build_mainnet();
        Evm { machine, chain_id, errors: BTreeMap::new(), nonces: BTreeMap::new() }
    }

    /// Makes the contract's custom errors known by name.
    pub fn know_errors(&mut self, artifact: &Artifact) {
        self.errors.extend(artifact.errors.clone());
    }

    /// Gives `account` a balance of `wei`.
    pub fn fund(&mut self, account: Address, wei: U256) {
        let nonce = self.nonces.get(&account).copied().unwrap_or(0);
        let info = AccountInfo { balance: wei, nonce, ..AccountInfo::default() };
        self.machine.ctx.journaled_state.database.insert_account_info(account, info);
    }

    /// Sets the block's time stamp, in unix seconds.
    pub fn set_time(&mut self, time_s: u64) {
        self.machine.set_block(BlockEnv {
            timestamp: U256::from(time_s),
            ..self.machine.ctx.block.clone()
        });
    }

    /// Creates a contract from creation code; returns its address and the gas.
    ///
    /// # Errors
    /// When creation fails.
    pub fn deploy(&mut self, creation_code: Vec<u8>) -> Result<(Address, u64), Failure> {
        let result = self.transact(Self::SENDER, TxKind::Create, U256::ZERO, creation_code)?;
        let gas = result.gas().tx_gas_used();
        match result {
            ExecutionResult::Success { output: Output::Create(_, Some(address)), .. } => {
                Ok((address, gas))
            }
            result => match self.receipt(result) {
                Ok(_) => Err(Failure::Invalid("nothing was created".into())),
                Err(failure) => Err(failure),
            },
        }
    }

    /// The address of the next contract which [`Evm::deploy`] creates.
    pub fn next_address(&self) -> Address {
        Self::SENDER.create(self.nonces.get(&Self::SENDER).copied().unwrap_or(0))
    }

    /// The code of a contract.
    pub fn code(&mut self, address: Address) -> Vec<u8> {
        let account = self.machine.ctx.journaled_state.database.load_account(address);
        let code = account.ok().and_then(|account| account.info.code.clone());
        code.map(|code| code.original_bytes().to_vec()).unwrap_or_default()
    }

    /// Puts `code` at `address` without a transaction.
    pub fn install(&mut self, address: Address, code: Vec<u8>) {
        let info = AccountInfo::from_bytecode(Bytecode::new_raw(Bytes::from(code)));
        self.machine.ctx.journaled_state.database.insert_account_info(address, info);
    }

    /// Calls `to` with `data` from [`Evm::SENDER`].
    ///
    /// # Errors
    /// When the call reverts or halts.
    pub fn call(&mut self, to: Address, data: Vec<u8>) -> Result<Receipt, Failure> {
        self.send(Call { from: Self::SENDER, to, value: U256::ZERO, data })
    }

    /// Executes a transaction and keeps its effects.
    ///
    /// # Errors
    /// When it reverts, halts or may not be executed.
    pub fn send(&mut self, call: Call) -> Result<Receipt, Failure> {
        let result = self.transact(call.from, TxKind::Call(call.to), call.value, call.data)?;
        self.receipt(result)
    }

    fn transact(
        &mut self,
        from: Address,
        kind: TxKind,
        value: U256,
        data: Vec<u8>,
    ) -> Result<ExecutionResult, Failure> {
        let nonce = self.nonces.get(&from).copied().unwrap_or(0);
        let tx = TxEnv::builder()
            .caller(from)
            .kind(kind)
            .value(value)
            .data(Bytes::from(data))
            .gas_limit(TX_GAS_MAX)
            .nonce(nonce)
            .chain_id(Some(self.chain_id))
            .build()
            .map_err(|error| Failure::Invalid(format!("{error:?}")))?;
        let result = self.machine.transact_commit(tx).map_err(|error| match error {
            EVMError::Transaction(error) => Failure::Invalid(error.to_string()),
            error => Failure::Invalid(format!("{error:?}")),
        })?;
        // A reverted transaction uses its nonce up as well.
        self.nonces.insert(from, nonce + 1);
        Ok(result)
    }

    fn receipt(&self, result: ExecutionResult) -> Result<Receipt, Failure> {
        let gas = result.gas().tx_gas_used();
        let gas_without_floor = result.gas().total_gas_spent();
        match result {
            ExecutionResult::Success { output, logs, .. } => Ok(Receipt {
                gas,
                gas_without_floor,
                output: output.into_data().to_vec(),
                logs: (logs.iter())
                    .map(|log| {
                        let topics = log.data.topics().iter().map(|topic| topic.0).collect();
                        (topics, log.data.data.to_vec())
                    })
                    .collect(),
            }),
            ExecutionResult::Revert { output, .. } => {
                let selector = output.first_chunk::<4>();
                let known = selector.and_then(|selector| self.errors.get(selector).cloned());
                let name = known.unwrap_or_else(|| hex::encode(&output));
                Err(Failure::Revert { name, gas })
            }
            ExecutionResult::Halt { reason, .. } => {
                Err(Failure::Halt { reason: format!("{reason:?}"), gas })
            }
        }
    }
}
