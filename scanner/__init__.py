"""The station: reads labels, records what was done with the cylinder, and brings it to the server.

Of the server's side it imports `cylinder_trace.contract` only.
"""
