// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {SignedWithdrawal} from "../../../contracts/types/Consents.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice What a signature withdraws, and what it never does; batches beside single calls.
contract WithdrawalsTest is TestNetwork {
    bytes32 private constant DOMAIN = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant WITHDRAW = keccak256("Withdraw(bytes32 programme,bytes32 tag)");
    /// @dev Of the curve's group: keys are below it, and of two s that fit a message the smaller counts.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    ConsentRegistry private _one;
    ConsentRegistry private _other;

    function setUp() external {
        build(1);
        (_one, _other) = (new ConsentRegistry(sites), new ConsentRegistry(sites));
    }

    function testFuzz_ASignatureHoldsForItsPlaceAlone(uint256 seed, bytes32 blind, bytes32 programme, bytes32 otherProgramme, uint64 otherChain)
        external
    {
        uint256 key = seed % (ORDER - 1) + 1;
        if (programme == otherProgramme || otherChain == block.chainid) return;
        address patient = VM.addr(key);
        bytes32 tag = _one.tagOf(blind, patient);
        _passedOver(_one, programme, _sign(key, block.chainid, address(_one), otherProgramme, tag), blind, patient);
        _passedOver(_one, programme, _sign(key, block.chainid, address(_other), programme, tag), blind, patient);
        _passedOver(_one, programme, _sign(key, otherChain, address(_one), programme, tag), blind, patient);
        _passedOver(_one, programme, _sign(key, block.chainid, address(_one), programme, blind), blind, patient);
        // The other s of the same signature.
        (bytes32 r, bytes32 s, uint8 v) = _parts(_sign(key, block.chainid, address(_one), programme, tag));
        _passedOver(_one, programme, Signature(r, bytes32(ORDER - uint256(s)), v == 27 ? 28 : 27), blind, patient);
        // And then the good one.
        _one.withdrawMany(programme, _list(blind, patient, Signature(r, s, v)));
        hold(_one.withdrawnAt(programme, tag) == block.number, "its own signature withdraws");
    }

    /// @dev Few patients, so that some come twice; some forged, some withdrawn before.
    function testFuzz_ABatchDoesWhatSingleCallsDo(uint256 seed, uint8 length, uint8 before) external {
        bytes32 programme = keccak256("programme");
        uint256 count = length % 12;
        SignedWithdrawal[] memory batch = new SignedWithdrawal[](count);
        for (uint256 i = 0; i < before % 4; ++i) {
            _withdraw(_one, programme, i + 1, i + 1);
            _withdraw(_other, programme, i + 1, i + 1);
        }
        for (uint256 i = 0; i < count; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            (uint256 key, uint256 signer) = (dice % 6 + 1, dice >> 8 & 7 == 0 ? 99 : dice % 6 + 1);
            Signature memory signature = _sign(signer, block.chainid, address(_one), programme, _one.tagOf(bytes32(key), VM.addr(key)));
            batch[i] = _list(bytes32(key), VM.addr(key), signature)[0];
            _withdraw(_other, programme, key, signer);
        }
        _one.withdrawMany(programme, batch);
        for (uint256 key = 1; key <= 6; ++key) {
            bytes32 tag = _one.tagOf(bytes32(key), VM.addr(key));
            hold(_one.withdrawnAt(programme, tag) == _other.withdrawnAt(programme, tag), "a batch does what single calls do");
        }
    }

    /// @dev By itself; refused or not.
    function _withdraw(ConsentRegistry registry, bytes32 programme, uint256 key, uint256 signer) private {
        address patient = VM.addr(key);
        Signature memory s = _sign(signer, block.chainid, address(registry), programme, registry.tagOf(bytes32(key), patient));
        try registry.withdraw(programme, bytes32(key), patient, abi.encodePacked(s.r, s.s, s.v)) {} catch {}
    }

    function _passedOver(ConsentRegistry registry, bytes32 programme, Signature memory s, bytes32 blind, address patient) private {
        registry.withdrawMany(programme, _list(blind, patient, s));
        try registry.withdraw(programme, blind, patient, abi.encodePacked(s.r, s.s, s.v)) {} catch {}
        hold(registry.withdrawnAt(programme, registry.tagOf(blind, patient)) == 0, "a signature holds for its place alone");
    }

    function _parts(Signature memory s) private pure returns (bytes32, bytes32, uint8) {
        return (s.r, s.s, s.v);
    }

    function _list(bytes32 blind, address patient, Signature memory s) private pure returns (SignedWithdrawal[] memory list) {
        list = new SignedWithdrawal[](1);
        list[0] = SignedWithdrawal(blind, patient, s.r, bytes32(uint256(s.s) | uint256(s.v - 27) << 255));
    }

    function _sign(uint256 key, uint256 chainId, address registry, bytes32 programme, bytes32 tag) private returns (Signature memory) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("Rota"), keccak256("1"), chainId, registry));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(WITHDRAW, programme, tag)))));
        return Signature(r, s, v);
    }
}

struct Signature {
    bytes32 r;
    bytes32 s;
    uint8 v;
}
