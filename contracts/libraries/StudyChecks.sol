// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStudyRegistry} from "../interfaces/IStudyRegistry.sol";
import {MAX_MASKED, MAX_SITES} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Limit, Mode, StudyRules} from "../types/Studies.sol";
import {Rota} from "./Rota.sol";

/// @title Which numbers of a study can work
/// @notice Pure; order of checks as in IStudyRegistry.publish, after that of the mode.
library StudyChecks {
    /// @notice Seconds and blocks that a limit has beyond one per call, so that sites may act one after another by rank.
    uint256 private constant SLACK = 3;
    /// @notice Among fewer sites a sum tells too much of each.
    uint256 private constant FEWEST_MASKED = 5;

    /// @notice Reverts with the first fault of the rules, for a network of so many active sites.
    function check(StudyRules calldata r, uint256 activeSites) internal pure {
        bool fits = r.quorum >= 1 && r.quorum <= r.minSites && r.minSites <= MAX_SITES;
        if (!fits) revert IStudyRegistry.StudyRegistry_BadQuorum(r.quorum, r.minSites);
        if (r.maxRounds == 0) revert IStudyRegistry.StudyRegistry_NoRounds();
        if (r.wordBits != 32 && r.wordBits != 64) revert IStudyRegistry.StudyRegistry_BadWordBits(r.wordBits);
        if (r.slices == 0 || r.slices > r.minSites) revert IStudyRegistry.StudyRegistry_BadSlices(r.slices, r.minSites);
        bool masked = r.mode == Mode.Masked;
        if (masked && r.minSites > MAX_MASKED) revert IStudyRegistry.StudyRegistry_TooManyToMask(r.minSites, MAX_MASKED);
        if (masked && (r.minSites < FEWEST_MASKED || r.quorum < Rota.unmaskThreshold(r.minSites))) {
            revert IStudyRegistry.StudyRegistry_TooFewToMask(r.quorum, r.minSites);
        }
        checkLimits(r, activeSites, masked ? Phase.Keying : Phase.Contributing);
    }

    /// @dev Open studies have no phase Keying.
    function checkLimits(StudyRules calldata r, uint256 activeSites, Phase first) private pure {
        for (uint256 i = uint256(first); i < r.limits.length; ++i) {
            Limit calldata limit = r.limits[i];
            uint256 least = calls(Phase(i), activeSites, r.slices) + SLACK;
            bool fits = limit.seconds_ >= least && limit.blocks >= least;
            if (!fits) revert IStudyRegistry.StudyRegistry_LimitTooShort(Phase(i), limit.seconds_, limit.blocks, least);
        }
    }

    /// @dev Calls of a phase that may each make a block, a second later than the one before: they must not use its limit up. A site
    /// makes one; custodians of several slices one for each. The rota of a deep round, who witness every slice, get that limit for
    /// each three of them.
    function calls(Phase phase, uint256 activeSites, uint256 slices) private pure returns (uint256) {
        if (phase != Phase.Witnessing || slices == 1) return activeSites;
        uint256 bitmaps = Rota.CUSTODIANS * slices;
        return bitmaps > activeSites ? bitmaps : activeSites;
    }
}
