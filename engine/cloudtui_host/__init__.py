"""What cloudtui ships to every host: standard library only, Python 3.8 or newer.

It starts jobs so that nothing but their own end can lose them, follows their journals,
and answers questions about the machine. It holds no port, no service and no root.
"""
