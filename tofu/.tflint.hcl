# All rules that tflint brings itself: types, descriptions, names, pinned versions, nothing unused,
# the layout of a module.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
