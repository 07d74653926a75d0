import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))

const CONFIG = `import { createRequire } from 'node:module'
import { defineConfig } from 'hardhat/config'
export default defineConfig({
  solidity: { version: '0.8.37', path: createRequire(import.meta.url).resolve('solc/soljson.js'), preferWasm: true, settings: { evmVersion: 'cancun' } },
  paths: { sources: './contracts', tests: { solidity: './test/contracts' }, artifacts: './.cache/artifacts', cache: './.cache/hardhat' },
})
`

const HEAD = '// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n'

/** Reverts after a branch was taken; decides in assembly, with and without calls; has a function that no test calls. */
const SMALL = `${HEAD}library Small {
    function least(uint256 a, uint256 b) internal pure returns (uint256) {
        if (a > 9 || b > 9) revert();
        return a < b ? a : b;
    }

    function sum(uint256 n) internal pure returns (uint256 z) {
        assembly ("memory-safe") {
            for { let i := 1 } lt(i, n) { i := add(i, 1) } { z := add(z, i) }
            if gt(z, 99) { z := 99 }
        }
    }

    function check(uint256 n) internal view {
        assembly ("memory-safe") {
            if gt(n, gas()) { revert(0, 0) }
        }
    }

    function never(bool a) internal pure returns (uint256) {
        if (a) return 1;
        return 2;
    }
}
`

const TESTS = (broken: boolean): string => `${HEAD}import {Small} from "../../contracts/Small.sol";
contract SmallTest {
    function test_Small() external view {
        assert(Small.least(1, 2) == ${broken ? 2 : 1});
        assert(Small.sum(3) == 3);
        (bool done,) = address(this).staticcall(abi.encodeCall(this.least, (10, 1)));
        (bool checked,) = address(this).staticcall(abi.encodeCall(this.check, (type(uint256).max)));
        assert(!done && !checked);
    }

    function least(uint256 a, uint256 b) external pure returns (uint256) {
        return Small.least(a, b);
    }

    function check(uint256 n) external view {
        Small.check(n);
    }
}
`

/** A project with one contract and one test of it, in a folder that is removed with `await using`. */
export async function smallProject(broken = false): Promise<{ readonly root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'rota-small-'))
  await symlink(NODE_MODULES, join(root, 'node_modules'), 'junction')
  const files = {
    'package.json': '{ "type": "module", "private": true }',
    'hardhat.config.ts': CONFIG,
    'contracts/Small.sol': SMALL,
    'test/contracts/Small.t.sol': TESTS(broken),
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}
