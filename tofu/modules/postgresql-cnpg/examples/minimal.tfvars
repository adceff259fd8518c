namespace = "attic"
