// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {LawfulBasis, SignedWithdrawal, Terms, TermsView} from "../../../contracts/types/Consents.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Patients that withdraw, again and again, by themselves, relayed, in batches or by an ombudsman, while sites publish terms
/// and roots.
contract ConsentHandler is TestNetwork {
    bytes32 private constant WITHDRAW = keccak256("Withdraw(bytes32 programme,bytes32 tag)");
    bytes32 private constant OMBUDSMAN = keccak256("OmbudsmanWithdraw(bytes32 programme,bytes32 tag)");
    mapping(bytes32 programme => mapping(bytes32 tag => uint256)) private _since;
    bytes32[2][] private _seen;
    mapping(bytes32 programme => TermsView) private _terms;
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
        (uint8 v, bytes32 r, bytes32 s) = _sign(forged ? 99 : uint256(patient % 8) + 1, WITHDRAW, programme, tag);
        try consents.withdraw(programme, blind, key, abi.encodePacked(r, s, v)) {
            if (forged) broken = "a forged withdrawal is refused";
            _note(programme, tag, before);
        } catch {}
        _look();
    }

    function inBatch(uint8[4] calldata patients, bool otherProgramme, uint8 forged) external {
        SignedWithdrawal[] memory batch = new SignedWithdrawal[](4);
        bool[4] memory before;
        bytes32 programme;
        for (uint256 i = 0; i < 4; ++i) {
            (bytes32 of_, bytes32 blind, address key) = _of(patients[i], otherProgramme);
            programme = of_;
            bytes32 tag = consents.tagOf(blind, key);
            before[i] = consents.withdrawnAt(programme, tag) != 0;
            (uint8 v, bytes32 r, bytes32 s) = _sign(i == forged ? 99 : uint256(patients[i] % 8) + 1, WITHDRAW, programme, tag);
            batch[i] = SignedWithdrawal(blind, key, r, bytes32(uint256(s) | uint256(v - 27) << 255));
        }
        consents.withdrawMany(programme, batch);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 tag = consents.tagOf(batch[i].blind, batch[i].patientKey);
            if (!before[i] && _since[programme][tag] == 0 && consents.withdrawnAt(programme, tag) != 0) {
                if (!_isGood(patients, i, forged)) broken = "a forged withdrawal is passed over";
                _note(programme, tag, false);
            }
        }
        _look();
    }

    function byOmbudsman(uint8 patient, bool otherProgramme, uint8 ombudsman, bool relayed_) external {
        (bytes32 programme, bytes32 blind, address key) = _of(patient, otherProgramme);
        bytes32 tag = consents.tagOf(blind, key);
        bool before = consents.withdrawnAt(programme, tag) != 0;
        bool named = consents.termsOf(programme).ombudsman == VM.addr(uint256(ombudsman % 2) + 50);
        (uint8 v, bytes32 r, bytes32 s) = _sign(uint256(ombudsman % 2) + 50, OMBUDSMAN, programme, tag);
        if (!relayed_) VM.prank(VM.addr(uint256(ombudsman % 2) + 50));
        try consents.withdrawByOmbudsman(programme, tag, abi.encodePacked(r, s, v)) {
            if (!named) broken = "nobody but the newest ombudsman withdraws for patients";
            _note(programme, tag, before);
        } catch {}
        _look();
    }

    function publishesTerms(uint8 site, uint32 version, bool otherProgramme, uint8 ombudsman, uint40 expiresAt) external {
        bytes32 programme = bytes32(uint256(otherProgramme ? 2 : 1));
        uint32 next = consents.termsOf(programme).version + 1;
        address named = ombudsman % 3 == 2 ? address(0) : VM.addr(uint256(ombudsman % 3) + 50);
        Terms memory terms = Terms(version % 4 == 0 ? version : next, sha256("terms"), LawfulBasis.Consent, named, expiresAt, "terms");
        VM.prank(steward(site % 2));
        try consents.publishTerms(programme, terms) {
            if (terms.version != next) broken = "versions count without a gap";
            if (next > 1 && SiteId.unwrap(_terms[programme].keeper) != site % 2) broken = "terms are the keeper's";
            _terms[programme] = consents.termsOf(programme);
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
        for (uint256 i = 1; i <= 2; ++i) {
            bytes32 programme = bytes32(i);
            bytes32 now_ = keccak256(abi.encode(consents.termsOf(programme)));
            if (now_ != keccak256(abi.encode(_terms[programme]))) broken = "terms change by their steward's call alone";
        }
    }

    /// @dev Signed by its own key, or by another place of the batch that has the same patient.
    function _isGood(uint8[4] calldata patients, uint256 place, uint8 forged) private pure returns (bool good) {
        for (uint256 i = 0; i < 4; ++i) {
            if (i != forged && patients[i] % 8 == patients[place] % 8) good = true;
        }
    }

    function _sign(uint256 key, bytes32 kind, bytes32 programme, bytes32 tag) private returns (uint8 v, bytes32 r, bytes32 s) {
        return VM.sign(key, keccak256(abi.encodePacked(hex"1901", _domain(), keccak256(abi.encode(kind, programme, tag)))));
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
