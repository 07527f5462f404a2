"""The pages: for the operator at the gun, the regulator at the desk, and the public at home."""
