// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {SiteRegistry} from "../../../contracts/SiteRegistry.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Patients that withdraw, again and again, by themselves or relayed, and sites that publish roots meanwhile.
contract ConsentHandler is TestNetwork {
    bytes32 private constant WITHDRAW = keccak256("Withdraw(bytes32 programme,bytes32 tag)");
    mapping(bytes32 programme => mapping(bytes32 tag => uint256)) private _since;
    bytes32[2][] private _seen;
    /// @notice Something that never changes did.
    string public broken;
    ConsentRegistry internal consents;

    constructor() {
        build(2);
        consents = new ConsentRegistry(sites);
    }

    function withdraws(uint8 patient, bool otherProgramme) external {
        (bytes32 programme, bytes32 blind, address key) = _of(patient, otherProgramme);
        bool before = consents.withdrawnAt(programme, consents.tagOf(blind, key)) != 0;
        VM.prank(key);
        try consents.withdraw(programme, blind, key, "") {
            _note(programme, consents.tagOf(blind, key), before);
        } catch {}
        _look();
    }

    function relayed(uint8 patient, bool otherProgramme, bool forged) external {
        (bytes32 programme, bytes32 blind, address key) = _of(patient, otherProgramme);
        bytes32 tag = consents.tagOf(blind, key);
        bool before = consents.withdrawnAt(programme, tag) != 0;
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domain(), keccak256(abi.encode(WITHDRAW, programme, tag))));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(forged ? 99 : uint256(patient % 8) + 1, digest);
        try consents.withdraw(programme, blind, key, abi.encodePacked(r, s, v)) {
            if (forged) broken = "a forged withdrawal is refused";
            _note(programme, tag, before);
        } catch {}
        _look();
    }

    function publishesRoot(uint8 site, uint64 epoch) external {
        VM.prank(node(site % 2));
        try consents.setRoot(bytes32(uint256(1)), epoch, keccak256("root")) {} catch {}
        _look();
    }

    function wait(uint8 blocks) external {
        VM.roll(block.number + blocks);
    }

    function _of(uint8 patient, bool other) private returns (bytes32 programme, bytes32 blind, address key) {
        return (bytes32(uint256(other ? 2 : 1)), keccak256(abi.encode(patient % 8)), VM.addr(uint256(patient % 8) + 1));
    }

    function _note(bytes32 programme, bytes32 tag, bool before) private {
        if (before) broken = "a tag is withdrawn once";
        _since[programme][tag] = block.number;
        _seen.push([programme, tag]);
    }

    function _look() private {
        for (uint256 i = 0; i < _seen.length; ++i) {
            bool stays = consents.withdrawnAt(_seen[i][0], _seen[i][1]) == _since[_seen[i][0]][_seen[i][1]];
            if (!stays) broken = "a withdrawn tag is never valid again";
        }
    }

    function _domain() private view returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("Rota"), keccak256("1"), block.chainid, address(consents)));
    }
}

contract ConsentsTest {
    ConsentHandler private _handler;

    function setUp() external {
        _handler = new ConsentHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_WithdrawnStaysWithdrawn() external view {
        string memory broken = _handler.broken();
        hold(bytes(broken).length == 0, broken);
    }
}
