import globals from 'globals'
import tseslint from 'typescript-eslint'
import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'

/** These files import nothing that these patterns name. */
function outOf(files, group) {
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns: [{ group }] }] } }
}

export default tseslint.config(
  { ignores: ['dist', 'src/api'] },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      // Props of strict TypeScript say by their type whether they may be left out.
      'vue/require-default-prop': 'off',
      // Layout of templates follows the line length, not the number of attributes.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always' } }],
      'vue/multi-word-component-names': 'off',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-macros-order': 'error',
      'vue/no-unused-refs': 'error',
      'vue/no-v-html': 'error',
      'max-lines': ['error', { max: 300 }],
      // A label that names its field by `for` needs no nesting.
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: { 'max-lines': ['error', { max: 200 }] },
  },
  // The order of folders (docs/architecture.md): features, what frames them, components, what the app knows, lib.
  outOf('src/lib/**', ['@/app/*', '@/components/*', '@/features/*']),
  outOf('src/app/**/*.ts', ['@/components/*', '@/features/*/*', '!@/features/*/routes']),
  outOf('src/components/**', ['@/features/*']),
  outOf('src/app/**/*.vue', ['@/features/*']),
)
