# What a contributor runs; a user needs only ./flywheel. `just` without a recipe lists them.
# No just on this machine? node_modules/.bin/just is one, after the first ./flywheel.

set positional-arguments

node := "node_modules/.bin/node"
bin := "node_modules/.bin"

[private]
default:
    @{{ bin }}/just --list --unsorted

# Everything that must hold before a commit (about a minute)
check: static
    ./flywheel test --suite unit --suite docs

# The checks that run no tests: format, lint, types, unused code, layers, docs
static: format-check lint types unused layers docs-links

# Reformat what Prettier knows
format: _install
    {{ bin }}/prettier --write --log-level warn .

[private]
format-check: _install
    {{ bin }}/prettier --check --log-level warn .

[private]
lint: _install
    {{ bin }}/oxlint --type-aware

[private]
types: _install
    {{ bin }}/tsc -p .

[private]
unused: _install
    {{ bin }}/knip

[private]
layers: _install
    {{ node }} scripts/check-layers.ts

[private]
docs-links: _install
    {{ node }} scripts/check-docs.ts

# The embedded site on this machine, restarted when the source changes
dev *ARGS: _install
    {{ node }} --watch --watch-preserve-output packages/flywheel/src/main.ts up "$@"

# The documentation site on this machine
docs-dev: (_not-yet "docs-dev" "the documentation site (docs-site/) is not written")

# The dashboard's own tests
app-test: (_not-yet "app-test" "the dashboard (app/) is not written")

# The container images, with buildah, podman or docker
images *TAG: _install
    {{ node }} scripts/build-images.ts "$@"

# The paper
tex: (_not-yet "tex" "the paper (tex_research/) is not written")

# Plan a stack of tofu/stacks, or --all (docs/infrastructure/deploy.md)
[no-exit-message]
tofu-plan STACK *ARGS:
    @./flywheel plan "$@"

# Apply the saved plan of a stack, or --all
[no-exit-message]
tofu-apply STACK *ARGS:
    @./flywheel apply "$@"

[private]
_install:
    @./flywheel --version >/dev/null

[no-exit-message]
[private]
_not-yet NAME WHY:
    @printf 'not yet: just %s: %s\n' "$1" "$2" >&2
    @exit 1
