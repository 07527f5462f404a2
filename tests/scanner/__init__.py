"""The station's side: nothing scanned is lost, nothing is sent twice for good, nothing crashes the loop."""
