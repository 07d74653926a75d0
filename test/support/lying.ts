// Loaded before a node (--import …/lying.ts?lies=wrong-sum,bears-out-wrong-sum): all that it computes is honest, what it says is not.
import { registerHooks } from 'node:module'
// Its hook names sources and asks no hook before it: this one has to come after it.
import '../../node/cli/bundled.mjs'

const HOSPITAL = new URL(`./lying-hospital.ts${new URL(import.meta.url).search}`, import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '#round/hospital.ts' && context.parentURL?.endsWith('/node/app/node/node.ts') === true ? next(HOSPITAL, context) : next(specifier, context),
})
