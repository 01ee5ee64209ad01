'use strict'

/**
 * Compiles a plan to the two functions of the hot path. Both answer a plain object with one value per name, in policy
 * order, or undefined where the request is not a usual one (a repeated line, a limit reached, a value that is no
 * string), which is for the core to decide.
 *
 * - `pick(lines, out)` reads a flat list of names and values and writes to `out`,
 * - `pickObject(object, out)` reads the own properties of a plain object.
 */
function pickers(plan) {
  // In a plain object these names would come out of order, or set its prototype.
  const awkward = (name) => /^[0-9]/.test(name) || '__proto__'.startsWith(name)
  if (plan.headers.some(({ name }) => awkward(name)) || plan.prefixes.some(({ name }) => awkward(name))) {
    return { pick: () => undefined, pickObject: () => undefined }
  }
  if (plan.headers.length > MOST_UNROLLED) return loops(plan)
  try {
    return { pick: generate(plan, LINES), pickObject: generate(plan, OBJECT) }
  } catch (error) {
    // Node was started with --disallow-code-generation-from-strings.
    if (error instanceof EvalError) return loops(plan)
    throw error
  }
}

const MOST_UNROLLED = 256

const LINES = {
  head: 'const end = source.length; for (let i = 0; i < end; i += 2) { const name = source[i]; const length = name.length;',
  value: 'source[i + 1]'
}
const OBJECT = {
  head: 'const names = Object.keys(source), end = names.length; for (let i = 0; i < end; i++) { const name = names[i]; const length = name.length;',
  value: 'source[name]'
}

function generate(plan, { head, value }) {
  const ranked = plan.headers.map(({ name }, rank) => ({ name, rank }))
  const code = [
    '"use strict"; return function (source, out) {',
    `let size = 0, more${plan.headers.map((_, rank) => `, v${rank}`).join('')};`,
    head,
    'switch (length) {',
    ...[...groupBy(ranked, ({ name }) => name.length)].map(([length, same]) => probe(length, same, value)),
    '}',
    prefixProbe(plan, value),
    '}',
    `if (size > ${plan.maxBytes} || (more !== undefined && !usual(more))) return undefined;`,
    ...plan.headers.map(({ name }, rank) => `if (v${rank} !== undefined) out[${quote(name)}] = v${rank};`),
    'if (more !== undefined) for (let i = 0; i < more.length; i += 2) out[more[i]] = more[i + 1];',
    'return out }'
  ]
  return new Function('prefixed', 'usual', 'isSame', code.join('\n'))((name) => plan.prefixed(name), isUsual, isSame)
}

/** Whether `name` is `lower` in another case. */
function isSame(name, lower) {
  return name.toLowerCase() === lower && isAscii(name)
}

// Some letters outside ASCII are inside it in lower case.
function isAscii(name) {
  return /^[!-~]*$/.test(name)
}

/** Whether what prefix rules selected is without a repeated line. */
function isUsual(more) {
  if (more.length === 2) return true
  return new Set(more.filter((_, i) => i % 2 === 0)).size * 2 === more.length
}

/** One look at the character that tells most of the candidates apart, and then one comparison. */
function probe(length, ranked, value) {
  const variety = (at) => new Set(ranked.map(({ name }) => name[at])).size
  let at = length - 1
  for (let other = length - 2; other >= 0; other--) if (variety(other) > variety(at)) at = other
  const cases = groupBy(ranked, ({ name }) => name[at])
  const branches = [...cases].map(([character, same]) => {
    const tests = same.map(
      ({ name, rank }) => `if (name === ${quote(name)} || (${resembles(name, at)} && isSame(name, ${quote(name)}))) {
        const value = ${value};
        if (typeof value !== 'string' || v${rank} !== undefined) return undefined;
        if (value.length !== 0) { v${rank} = value; size += ${length} + value.length }
        continue
      }`
    )
    return `${bothCases(character)} ${tests.join(' ')} break;`
  })
  return `case ${length}: switch (name.charCodeAt(${at})) { ${branches.join('\n')} } break;`
}

/** Two more characters, before the dear comparison for names in another case. */
function resembles(name, at) {
  const places = [name.length - 1, name.length >> 1, 0].filter((place) => place !== at).slice(0, 2)
  const tests = places.map((place) => {
    return `(${codes(name[place]).map((code) => `name.charCodeAt(${place}) === ${code}`).join(' || ')})`
  })
  return tests.join(' && ') || 'true'
}

function groupBy(list, key) {
  const groups = new Map()
  for (const entry of list) groups.set(key(entry), [...(groups.get(key(entry)) ?? []), entry])
  return groups
}

const codes = (character) => [...new Set([character, character.toUpperCase()])].map((each) => each.charCodeAt(0))
const bothCases = (character) => codes(character).map((code) => `case ${code}:`).join(' ')

function prefixProbe({ prefixes, maxPrefixHeaders }, value) {
  if (prefixes.length === 0) return ''
  const shortest = Math.min(...prefixes.map(({ name }) => name.length))
  // Prefixes end in `-`, which is everywhere; the character before it tells more.
  const at = Math.max(shortest - 2, 0)
  const characters = [...new Set(prefixes.flatMap(({ name }) => codes(name[at])))]
  return `if (length >= ${shortest}) {
    const code = name.charCodeAt(${at});
    if (${characters.map((code) => `code === ${code}`).join(' || ')}) {
      const lower = prefixed(name);
      if (lower === undefined) return undefined;
      if (lower !== null) {
        const value = ${value};
        if (typeof value !== 'string') return undefined;
        if (value.length !== 0) {
          if (more === undefined) more = [];
          if (more.length >= ${maxPrefixHeaders * 2}) return undefined;
          more.push(lower, value);
          size += length + value.length
        }
      }
    }
  }`
}

const quote = JSON.stringify

function loops(plan) {
  const ranks = new Map(plan.headers.map(({ name }, rank) => [name, rank]))
  const pairs = function* (lines) {
    for (let i = 0; i < lines.length; i += 2) yield [lines[i], lines[i + 1]]
  }
  const collect = (entries, out) => {
    const values = []
    let more
    let size = 0
    for (const [name, value] of entries) {
      const rank = isAscii(name) ? ranks.get(name.toLowerCase()) : undefined
      const lower = rank === undefined ? plan.prefixed(name) : name
      if (lower === null) continue
      if (lower === undefined || typeof value !== 'string') return undefined
      if (rank !== undefined && values[rank] !== undefined) return undefined
      if (value === '') continue
      size += name.length + value.length
      if (rank !== undefined) values[rank] = value
      else if ((more ??= []).push(lower, value) > plan.maxPrefixHeaders * 2) return undefined
    }
    if (size > plan.maxBytes || (more !== undefined && !isUsual(more))) return undefined
    plan.headers.forEach(({ name }, rank) => {
      if (values[rank] !== undefined) out[name] = values[rank]
    })
    if (more !== undefined) for (const [name, value] of pairs(more)) out[name] = value
    return out
  }
  return {
    pick: (lines, out) => collect(pairs(lines), out),
    pickObject: (object, out) => collect(Object.entries(object), out)
  }
}

module.exports = { pickers }
