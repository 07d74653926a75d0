// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {LawfulBasis, Terms} from "../../../contracts/types/Consents.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Seven sites put roots of two programmes, whose terms come when they like; the registry is held against a plain map.
contract EpochsTest is TestNetwork {
    uint256 private constant SITES = 7;
    uint256 private constant STEPS = 40;
    ConsentRegistry private _consents;
    /// @dev The newest, plus 1.
    mapping(uint256 programme => mapping(uint256 site => uint256)) private _plain;

    function setUp() external {
        build(SITES);
        _consents = new ConsentRegistry(sites);
    }

    function testFuzz_EachSiteHasItsOwnEpoch(uint256 seed) external {
        uint256 taken = 0;
        for (uint256 n = 0; n < STEPS; ++n) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed % 10 == 0) _publishTerms((seed >> 8) % 2);
            else if (_setRoot((seed >> 8) % 2, (seed >> 16) % SITES, _epoch(seed >> 24))) ++taken;
            _look();
        }
        hold(taken >= 3, "some roots are taken");
    }

    /// @dev Small ones most often, and now and then the highest.
    function _epoch(uint256 seed) private pure returns (uint64) {
        return seed % 20 == 0 ? type(uint64).max - uint64((seed >> 8) % 3) : uint64((seed >> 8) % 30);
    }

    function _publishTerms(uint256 programme) private {
        uint32 next = _consents.termsOf(bytes32(programme)).version + 1;
        // Before the prank, which the hash's own call would use up.
        Terms memory terms = Terms(next, sha256("terms"), LawfulBasis.Consent, address(0), type(uint40).max, "terms");
        VM.prank(steward(0));
        _consents.publishTerms(bytes32(programme), terms);
    }

    function _setRoot(uint256 programme, uint256 site, uint64 epoch) private returns (bool taken) {
        bool rises = epoch >= _plain[programme][site] && epoch != type(uint64).max;
        VM.prank(node(site));
        try _consents.setRoot(bytes32(programme), epoch, keccak256("root")) {
            taken = true;
            _plain[programme][site] = uint256(epoch) + 1;
        } catch {}
        hold(taken == rises, "epochs rise, and nothing else is asked");
    }

    function _look() private view {
        for (uint256 i = 0; i < 2 * SITES; ++i) {
            (uint64 epoch, bool set) = _consents.epochOf(SiteId.wrap(uint16(i / 2)), bytes32(i % 2));
            uint256 plain = _plain[i % 2][i / 2];
            hold(set == (plain != 0) && (plain == 0 ? epoch == 0 : epoch == plain - 1), "no site's epoch is another's, nor the terms'");
        }
    }
}
